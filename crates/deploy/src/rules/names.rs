//! Names that AWS takes.

use super::Refusal;
use crate::deployment::{Deployment, Source};

/// Variables that the platform sets itself and lets nobody set.
/// Source: "Defined runtime environment variables" in the Lambda guide.
const RESERVED: [&str; 11] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
];

pub(super) fn check(deployment: &Deployment, found: &mut Vec<Refusal>) {
    if !is_name(&deployment.name, 50, "-_") {
        found.push(Refusal::Name(deployment.name.clone()));
    }
    if let Some(alias) = &deployment.alias
        && !is_name(alias, 100, "")
    {
        found.push(Refusal::Alias(alias.clone()));
    }
    for variable in &deployment.variables {
        let name = &variable.name;
        let reserved = RESERVED.contains(&name.as_str())
            || name.starts_with("AWS_LAMBDA_")
            || name.starts_with("LAMBDA_");
        if reserved {
            let why = "the platform sets it itself; choose another name in the configuration";
            found.push(Refusal::Variable(name.clone(), why));
        } else if !is_name(name, 128, "_") || name.len() < 2 {
            let why = "at least two letters, digits and _, beginning with a letter";
            found.push(Refusal::Variable(name.clone(), why));
        }
        if let Source::Parameter(path) = &variable.source
            && !is_path(path)
        {
            found.push(Refusal::Parameter(name.clone(), path.clone()));
        }
    }
}

fn is_name(text: &str, longest: usize, signs: &str) -> bool {
    text.len() <= longest
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || signs.contains(c))
}

fn is_path(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-_/".contains(c))
}
