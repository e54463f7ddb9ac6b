//! The table of results, as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::case::{Case, Strength};
use crate::run::Verdict;

/// Everybody's verdicts, in the order of the columns.
#[derive(Debug, Default)]
pub struct Results(Vec<Column>);

#[derive(Debug)]
struct Column {
    name: String,
    about: String,
    by_case: BTreeMap<String, Verdict>,
}

impl Results {
    /// Adds one who was asked.
    pub fn add(&mut self, name: String, about: String, verdicts: Vec<Verdict>) {
        let by_case = verdicts
            .into_iter()
            .map(|verdict| (verdict.case.clone(), verdict))
            .collect();
        self.0.push(Column {
            name,
            about,
            by_case,
        });
    }

    /// The document: who was asked, how many each passed, every case, and what was different.
    pub fn document(&self, cases: &[Case], date: &str) -> String {
        let mut text = String::from(
            "# HTTP conformance, measured\n\nWritten by `cargo xtask conformance`; every cell is the outcome of a conversation over a socket, \
             none is written by hand. What the cases are and how they are asked: [README.md](README.md).\n\n",
        );
        let _ = writeln!(
            text,
            "Measured on {date}.\n\n| who | put together as |\n|---|---|"
        );
        for column in &self.0 {
            let _ = writeln!(text, "| {} | {} |", column.name, column.about);
        }
        text.push_str("\nProxies stand in front of an origin that judges conditions by its own tags. Frameworks have a handler that answers what the case says and judges nothing. \
             `must` is a rule of a standard (without it somebody gets wrong bytes or loses a change), `should` a recommendation, `good` no rule, but clients gain by it.\n\n## Passed\n\n");
        self.totals(cases, &mut text);
        self.groups(cases, &mut text);
        self.differences(cases, &mut text);
        text
    }

    fn head(&self, first: &str, text: &mut String) {
        let _ = write!(text, "| {first} |");
        for column in &self.0 {
            let _ = write!(text, " {} |", column.name);
        }
        text.push_str("\n|---|");
        text.push_str(&":-:|".repeat(self.0.len()));
        text.push('\n');
    }

    fn totals(&self, cases: &[Case], text: &mut String) {
        self.head("", text);
        let strengths = [Strength::Must, Strength::Should, Strength::Good];
        for strength in strengths.map(Some).into_iter().chain([None]) {
            let of_strength =
                |case: &&Case| strength.is_none_or(|strength| case.strength == strength);
            let chosen: Vec<&Case> = cases.iter().filter(of_strength).collect();
            let name = strength.map_or("all", name_of);
            let _ = write!(text, "| {name} ({}) |", chosen.len());
            for column in &self.0 {
                let passed = chosen.iter().filter(|case| column.passes(case)).count();
                let _ = write!(text, " {passed} |");
            }
            text.push('\n');
        }
    }

    fn groups(&self, cases: &[Case], text: &mut String) {
        let mut group = "";
        for case in cases {
            if case.group != group {
                group = &case.group;
                let _ = writeln!(text, "\n## {group}\n");
                self.head("case", text);
            }
            let _ = write!(text, "| {} ({}) |", case.title, name_of(case.strength));
            for column in &self.0 {
                text.push_str(if column.passes(case) {
                    " yes |"
                } else {
                    " **no** |"
                });
            }
            text.push('\n');
        }
    }

    fn differences(&self, cases: &[Case], text: &mut String) {
        text.push_str("\n## What was different\n");
        for column in &self.0 {
            let failed: Vec<&Verdict> = cases
                .iter()
                .filter_map(|case| column.by_case.get(&case.name))
                .filter(|verdict| !verdict.differences.is_empty())
                .collect();
            let _ = writeln!(text, "\n### {}\n", column.name);
            if failed.is_empty() {
                text.push_str("Nothing.\n");
            }
            for verdict in failed {
                let _ = writeln!(
                    text,
                    "- `{}`: {}",
                    verdict.case,
                    verdict.differences.join("; ")
                );
            }
        }
    }
}

impl Column {
    fn passes(&self, case: &Case) -> bool {
        self.by_case
            .get(&case.name)
            .is_some_and(|verdict| verdict.differences.is_empty())
    }
}

fn name_of(strength: Strength) -> &'static str {
    match strength {
        Strength::Must => "must",
        Strength::Should => "should",
        Strength::Good => "good",
    }
}
