//! Writes every kind of template into a folder, for the validators of AWS: `every_template FOLDER`.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use paceline_deploy::deployment::{
    Architecture, Artifact, Database, DatabaseKind, Deployment, Entry, Proxy, Source, Variable,
};
use paceline_deploy::{rules, template};

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("every_template FOLDER");
        return ExitCode::from(2);
    };
    match write_all(&folder) {
        Ok(count) => {
            println!("{count} templates");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn write_all(folder: &Path) -> Result<usize, String> {
    let deployments = every();
    for (name, deployment) in &deployments {
        let refusals = rules::refusals(deployment);
        if let Some(refusal) = refusals.first() {
            return Err(format!("{name}: {refusal}"));
        }
        let path = folder.join(format!("{name}.yaml"));
        std::fs::write(&path, template::write(deployment))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(deployments.len())
}

/// Entries, architectures, networks and readiness in every combination, then what stands by itself.
fn every() -> Vec<(String, Deployment)> {
    let mut found = Vec::new();
    for entry in Entry::ALL {
        for architecture in [Architecture::Arm64, Architecture::X86_64] {
            for network in ["open", "vpc", "proxy"] {
                for ready in ["provisioned", "cold"] {
                    let mut deployment = base(DatabaseKind::Postgres);
                    deployment.entry = entry;
                    deployment.architecture = architecture;
                    deployment.vpc = network != "open";
                    deployment.proxy = (network == "proxy").then(Proxy::default);
                    if ready == "cold" {
                        deployment.provisioned = None;
                    }
                    let name =
                        format!("{}-{}-{network}-{ready}", entry.name(), architecture.name());
                    found.push((name, deployment));
                }
            }
        }
    }
    found.extend(others());
    found
}

fn others() -> Vec<(String, Deployment)> {
    let mut mysql = base(DatabaseKind::MySql);
    mysql.vpc = true;
    mysql.proxy = Some(Proxy {
        iam: true,
        ..Proxy::default()
    });
    mysql.reserved = None;
    mysql.uses.redis = true;
    let mut image = base(DatabaseKind::Http);
    image.artifact = Artifact::Image;
    image.provisioned = None;
    image.snap_start = true;
    image.vpc = true;
    let mut bare = base(DatabaseKind::File { written: false });
    bare.alias = None;
    bare.provisioned = None;
    bare.keep_warm = None;
    bare.variables.clear();
    let mut public = base(DatabaseKind::Postgres);
    public.public = true;
    public.reserved = NonZeroU32::new(90);
    let mut open_http = public.clone();
    open_http.entry = Entry::Http;
    let mut open_rest = public.clone();
    open_rest.entry = Entry::Rest;
    let named = |name: &str, deployment| (name.to_owned(), deployment);
    vec![
        named("mysql", mysql),
        named("image", image),
        named("bare", bare),
        named("public", public),
        named("public-http", open_http),
        named("public-rest", open_rest),
    ]
}

fn base(kind: DatabaseKind) -> Deployment {
    let mut deployment = Deployment::new("shop", Database::new(kind));
    deployment.variables.push(Variable {
        name: "DATABASE_URL".to_owned(),
        source: Source::Secret,
    });
    deployment.variables.push(Variable {
        name: "SHOP_REGION".to_owned(),
        source: Source::Parameter("/shop/region".to_owned()),
    });
    deployment
}
