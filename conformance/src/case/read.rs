//! Cases from the folder `cases`, which is built into the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

use super::{Behaviour, Case};

/// The groups in the order they are reported.
const FILES: [(&str, &str); 10] = [
    ("negotiation", include_str!("../../cases/negotiation.toml")),
    ("vary", include_str!("../../cases/vary.toml")),
    ("tags", include_str!("../../cases/tags.toml")),
    ("conditional", include_str!("../../cases/conditional.toml")),
    ("unsafe", include_str!("../../cases/unsafe.toml")),
    ("head", include_str!("../../cases/head.toml")),
    ("ranges", include_str!("../../cases/ranges.toml")),
    ("transform", include_str!("../../cases/transform.toml")),
    ("bodies", include_str!("../../cases/bodies.toml")),
    ("streams", include_str!("../../cases/streams.toml")),
];

/// A file of cases that cannot be used.
#[derive(Debug)]
pub struct InvalidCase {
    group: String,
    what: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

/// Every case.
///
/// # Errors
///
/// The first file that is not well-formed, names a case twice or refers to a step that is not before.
pub fn read_all() -> Result<Vec<Case>, InvalidCase> {
    let mut cases = Vec::new();
    let mut names = BTreeSet::new();
    for (group, text) in FILES {
        let invalid = |what: String| InvalidCase {
            group: group.to_owned(),
            what,
        };
        let file: File = toml::from_str(text).map_err(|error| invalid(error.to_string()))?;
        for mut case in file.case {
            group.clone_into(&mut case.group);
            if !names.insert(case.name.clone()) {
                return Err(invalid(format!("{} is there twice", case.name)));
            }
            check(&case).map_err(|what| invalid(format!("{}: {what}", case.name)))?;
            cases.push(case);
        }
    }
    Ok(cases)
}

/// The behaviours by name of case, and of the bodies that speed is measured with: `json-1`, `json-16` and `json-256`,
/// of so many KiB.
pub fn behaviours(cases: &[Case]) -> BTreeMap<String, Behaviour> {
    let of_cases = cases
        .iter()
        .map(|case| (case.name.clone(), case.origin.clone()));
    let sized = [1, 16, 256].map(|kibibytes| {
        let behaviour = Behaviour {
            headers: vec![format!("etag: \"v{kibibytes}\"")],
            size: kibibytes * 1024,
            ..Behaviour::default()
        };
        (format!("json-{kibibytes}"), behaviour)
    });
    of_cases.chain(sized).collect()
}

fn check(case: &Case) -> Result<(), String> {
    case.origin.header_map()?;
    if case.step.is_empty() {
        return Err("has no step".to_owned());
    }
    for (index, step) in case.step.iter().enumerate() {
        let expected = &step.expect;
        let earlier = expected.same.values().chain(&expected.tag_not_shared_with);
        let earlier = earlier.chain(&expected.length_of);
        if let Some(number) = earlier
            .into_iter()
            .find(|&&number| number == 0 || number > index)
        {
            return Err(format!("step {} refers to step {number}", index + 1));
        }
    }
    Ok(())
}

impl fmt::Display for InvalidCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cases/{}.toml: {}", self.group, self.what)
    }
}

impl std::error::Error for InvalidCase {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_well_formed_and_every_case_has_its_behaviour() {
        let cases = read_all().unwrap_or_else(|error| panic!("{error}"));
        let behaviours = behaviours(&cases);
        assert_eq!(behaviours.len(), cases.len() + 3);
        for behaviour in behaviours.values() {
            assert!(behaviour.to_json().is_ok());
        }
    }
}
