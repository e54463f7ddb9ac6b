//! Links of Markdown files to other files of the repository.

use std::path::Path;

use super::Source;

/// Each relative link whose file is not there.
pub(super) fn broken_links(source: &Source, root: &Path) -> Vec<String> {
    let folder = root.join(source.path.parent().unwrap_or(Path::new("")));
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in source.text.lines().enumerate() {
        in_code ^= line.trim_start().starts_with("```");
        if in_code {
            continue;
        }
        for target in targets(line).filter(|target| is_local(target)) {
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !folder.join(file).exists() {
                found.push(source.place(index + 1, &format!("the link {target} leads nowhere")));
            }
        }
    }
    found
}

/// What the line's links `[text](target)` lead to.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let after_brackets = line.split("](").skip(1);
    after_brackets
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.trim())
}

fn is_local(target: &str) -> bool {
    !target.contains("://") && !target.starts_with("mailto:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_local_targets_that_are_missing_are_reported() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("there.md"), "").expect("a file");
        for (text, expected) in [
            ("[a](there.md) and [b](there.md#part)", 0),
            ("[a](gone.md)", 1),
            ("[a](gone.md) [b](gone-too.md)", 2),
            ("[a](https://example.com/gone.md) [b](#part)", 0),
            ("```\n[a](gone.md)\n```", 0),
        ] {
            let source = Source {
                path: "README.md".into(),
                text: text.to_owned(),
            };
            assert_eq!(
                broken_links(&source, folder.path()).len(),
                expected,
                "{text}"
            );
        }
    }
}
