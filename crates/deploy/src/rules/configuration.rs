//! What the configuration asks for, where environments are many, frozen between requests, and forgotten.

use super::Refusal;
use crate::deployment::{DatabaseKind, Deployment, Source};

pub(super) fn check(deployment: &Deployment, found: &mut Vec<Refusal>) {
    let uses = &deployment.uses;
    if deployment.database.kind == (DatabaseKind::File { written: true }) {
        found.push(Refusal::WrittenFile);
    }
    if uses.job_file {
        found.push(Refusal::JobFile);
    }
    found.extend(uses.memory_limits.iter().cloned().map(Refusal::MemoryLimit));
    if uses.maildir {
        found.push(Refusal::Maildir);
    }
    found.extend(uses.workers.iter().cloned().map(Refusal::Worker));
    if uses.sql {
        found.push(Refusal::Sql);
    }
    if uses.local_hosts_only {
        found.push(Refusal::LocalHosts);
    }
}

pub(super) fn notes(deployment: &Deployment) -> Vec<String> {
    let uses = &deployment.uses;
    let secrets = deployment
        .variables
        .iter()
        .filter(|variable| variable.source == Source::Secret)
        .map(|variable| variable.name.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let mut notes = vec![format!(
        "Before the first deployment the secret {}/paceline must be in Secrets Manager: a JSON object with the keys {secrets}.",
        deployment.name
    )];
    if matches!(deployment.database.kind, DatabaseKind::File { .. }) {
        notes.push(
            "The database is a file in the package: it changes with a deployment, never with a request.".to_owned(),
        );
    }
    if uses.mails && !uses.maildir {
        notes.push(
            "Mails are queued by requests, and delivered only while an environment is awake: run `paceline jobs work` \
             elsewhere where they must not wait for the next request."
                .to_owned(),
        );
    }
    if uses.live_stream && !deployment.entry.streams() {
        notes.push(format!(
            "[stream] needs an entry that streams: through --entry {} its clients get nothing before the end; --entry url streams.",
            deployment.entry.name()
        ));
    }
    if deployment.public {
        notes.push(
            "Everybody may call the function; what it lets them do is up to its configuration."
                .to_owned(),
        );
    }
    notes
}
