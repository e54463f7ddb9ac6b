//! Words that no tracked file may hold: unfinished work, and places that exist on one machine only.

use super::Source;

/// Each with what is wrong about it. They are put together so that this file passes its own check.
const FORBIDDEN: [(&str, &str); 12] = [
    (concat!("TO", "DO"), "unfinished work"),
    (concat!("FIX", "ME"), "unfinished work"),
    (concat!("to", "do!("), "unfinished work"),
    (concat!("unimpl", "emented!("), "unfinished work"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/tmp/tar", "get"), "a path of one machine"),
    (concat!("registry.npm", "js.org"), "a registry's host"),
    (concat!("pythonho", "sted.org"), "a registry's host"),
    (concat!("py", "pi.org"), "a registry's host"),
    (concat!("static.cra", "tes.io"), "a registry's host"),
    (concat!("deb.deb", "ian.org"), "a registry's host"),
];

/// Each place in the file.
pub(super) fn violations(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        for (word, what) in FORBIDDEN {
            if line.contains(word) {
                found.push(source.place(index + 1, &format!("{what}: {word}")));
            }
        }
        if source.path.ends_with("package-lock.json")
            && line.trim_start().starts_with("\"resolved\":")
        {
            found.push(source.place(index + 1, "a download address in a lock file"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_found_with_its_line() {
        for (word, what) in FORBIDDEN {
            let source = Source {
                path: "a.md".into(),
                text: format!("fine\nthis {word} here\n"),
            };
            assert_eq!(violations(&source), [format!("a.md:2: {what}: {word}")]);
        }
        let lock = Source {
            path: "x/package-lock.json".into(),
            text: "  \"resolved\": \"x\"".to_owned(),
        };
        assert_eq!(violations(&lock).len(), 1);
        let fine = Source {
            path: "a.md".into(),
            text: "a method, a total done".to_owned(),
        };
        assert!(violations(&fine).is_empty());
    }
}
