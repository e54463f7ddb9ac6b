//! Sizes and house rules of Rust sources, read line by line from rustfmt's layout.

use std::path::Path;

use super::Source;
use super::ceilings::{self, Ceilings};

/// Everything in one file that breaks a rule.
pub(super) fn violations(source: &Source, ceilings: &mut Ceilings) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let production = if is_test_file(&source.path) {
        0
    } else {
        start_of_tests(&lines)
    };
    let mut found = Vec::new();
    let path = source.path.display().to_string();
    let counted = production.max(if production == 0 { lines.len() } else { 0 });
    if ceilings.exceeded(&path, counted, ceilings::FILE) {
        found.push(source.place(
            1,
            &format!("{counted} lines, the ceiling is {}", ceilings::FILE),
        ));
    }
    for function in functions(&lines[..production]) {
        if ceilings.exceeded(
            &format!("{path}#{}", function.name),
            function.lines,
            ceilings::FUNCTION,
        ) {
            let what = format!(
                "{} has {} lines, the ceiling is {}",
                function.name,
                function.lines,
                ceilings::FUNCTION
            );
            found.push(source.place(function.start + 1, &what));
        }
    }
    for (index, line) in lines.iter().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        if code.trim_start().starts_with("#[ignore") {
            found.push(source.place(index + 1, "an ignored test"));
        }
        if index >= production
            && is_product(&source.path)
            && code.contains(concat!("thread::", "sleep("))
        {
            found.push(source.place(
                index + 1,
                "a test that sleeps: use a paused clock or a signal",
            ));
        }
        if silences_a_lint(code) && !attribute(&lines[index..]).contains("reason =") {
            found.push(source.place(index + 1, "a lint is silenced without a reason"));
        }
    }
    found
}

/// A function and how long it is.
#[derive(Debug, PartialEq, Eq)]
struct Function<'a> {
    name: &'a str,
    start: usize,
    lines: usize,
}

fn functions<'a>(lines: &[&'a str]) -> Vec<Function<'a>> {
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let indent = &line[..line.len() - line.trim_start().len()];
        let is_end = |line: &&str| line.strip_prefix(indent) == Some("}");
        let is_declaration = |line: &&str| {
            line.strip_prefix(indent)
                .is_some_and(|l| !l.starts_with(' ') && l.ends_with(';'))
        };
        let rest = &lines[start..];
        let Some(length) = rest
            .iter()
            .position(|line| is_end(line) || is_declaration(line))
        else {
            continue;
        };
        if is_end(&rest[length]) {
            found.push(Function {
                name,
                start,
                lines: length + 1,
            });
        }
    }
    found
}

/// The name of the function that the line begins, if it begins one.
fn function_name(line: &str) -> Option<&str> {
    let mut words = line.trim_start();
    while !words.starts_with("fn ") {
        let (word, rest) = words.split_once(' ')?;
        let is_modifier = matches!(word, "async" | "const" | "unsafe" | "extern" | "\"C\"")
            || word.starts_with("pub");
        if !is_modifier {
            return None;
        }
        words = rest;
    }
    let name = words["fn ".len()..]
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()?;
    (!name.is_empty()).then_some(name)
}

/// The index of the line where the file's own tests begin.
fn start_of_tests(lines: &[&str]) -> usize {
    let begins = |pair: &[&str]| pair[0].trim() == "#[cfg(test)]" && pair[1].contains("mod ");
    lines.windows(2).position(begins).unwrap_or(lines.len())
}

fn is_test_file(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs")
}

fn is_product(path: &Path) -> bool {
    path.starts_with("crates")
}

fn silences_a_lint(code: &str) -> bool {
    let code = code.trim_start();
    ["#[allow(", "#![allow(", "#[expect(", "#![expect("]
        .iter()
        .any(|start| code.starts_with(start))
}

/// The attribute that begins at the first of `lines`, which rustfmt may have broken.
fn attribute(lines: &[&str]) -> String {
    let end = lines
        .iter()
        .position(|line| line.trim_end().ends_with(")]"))
        .unwrap_or(0);
    lines[..=end].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[&str]) {
        let source = Source {
            path: path.into(),
            text: text.to_owned(),
        };
        let found = violations(&source, &mut Ceilings::default());
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, part) in found.iter().zip(expected) {
            assert!(found.contains(part), "{found}");
        }
    }

    #[test]
    fn functions_are_measured_from_signature_to_brace() {
        let text = "impl X {\n    pub(crate) async fn one(\n        a: u8,\n    ) {\n        f();\n    }\n    fn two();\n}\n\
                    const fn three() {\n}\n";
        let lines: Vec<&str> = text.lines().collect();
        let found = functions(&lines);
        let expected = [
            Function {
                name: "one",
                start: 1,
                lines: 5,
            },
            Function {
                name: "three",
                start: 8,
                lines: 2,
            },
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn long_code_is_found_and_long_tests_are_not() {
        let body = "    f();\n".repeat(69);
        check(
            "a.rs",
            &format!("fn long() {{\n{body}}}\n"),
            &["a.rs:1: long has 71 lines"],
        );
        check(
            "a.rs",
            &format!("#[cfg(test)]\nmod tests {{\nfn long() {{\n{body}}}\n}}\n"),
            &[],
        );
        check("a.rs", &"//\n".repeat(601), &["601 lines"]);
    }

    #[test]
    fn house_rules() {
        check("a.rs", "#[ignore]\nfn a() {}\n", &["ignored test"]);
        check(
            "a.rs",
            "#[allow(dead_code)]\nfn a() {}\n",
            &["without a reason"],
        );
        check(
            "a.rs",
            "#[allow(\n    dead_code,\n    reason = \"x\"\n)]\nfn a() {}\n",
            &[],
        );
        let sleeping = concat!("std::thread::", "sleep(d);\n");
        check("crates/x/tests/it/main.rs", sleeping, &["sleeps"]);
        check("crates/x/src/lib.rs", sleeping, &[]);
    }
}
