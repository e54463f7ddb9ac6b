//! SPDX licence expressions: `MIT OR (Apache-2.0 WITH LLVM-exception AND Zlib)`.
//!
//! `AND` binds closer than `OR`; the old `MIT/Apache-2.0` is read as `OR`.

/// Whether a user who holds to the `allow`ed licences may use what is under `expression`.
pub(super) fn allowed(expression: &str, allow: &[String]) -> Result<bool, String> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut reader = Reader {
        words: spaced.split_whitespace().collect(),
        next: 0,
        allow,
    };
    let answer = reader.alternatives()?;
    match reader.peek() {
        None => Ok(answer),
        Some(word) => Err(format!("{word:?} was not expected")),
    }
}

struct Reader<'a> {
    words: Vec<&'a str>,
    next: usize,
    allow: &'a [String],
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).copied()
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.next += usize::from(found);
        found
    }

    fn alternatives(&mut self) -> Result<bool, String> {
        let mut answer = self.conjunction()?;
        while self.take("OR") {
            answer |= self.conjunction()?;
        }
        Ok(answer)
    }

    fn conjunction(&mut self) -> Result<bool, String> {
        let mut answer = self.licence()?;
        while self.take("AND") {
            answer &= self.licence()?;
        }
        Ok(answer)
    }

    fn licence(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let answer = self.alternatives()?;
            return if self.take(")") {
                Ok(answer)
            } else {
                Err("a ) is missing".to_owned())
            };
        }
        let id = match self.peek() {
            Some(word) if !["AND", "OR", "WITH", ")"].contains(&word) => word,
            other => {
                return Err(format!(
                    "a licence was expected, not {}",
                    other.unwrap_or("the end")
                ));
            }
        };
        self.next += 1;
        if self.take("WITH") {
            let exception = self.peek().ok_or("an exception was expected after WITH")?;
            self.next += 1;
            let both = format!("{id} WITH {exception}");
            return Ok(self.allow.contains(&both));
        }
        Ok(self.allow.iter().any(|allowed| allowed == id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_evaluated() {
        let allow = ["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("MIT OR GPL-3.0", true),
            ("MIT/GPL-3.0", true),
            ("MIT AND GPL-3.0", false),
            ("MIT AND Zlib", true),
            ("GPL-3.0 OR MIT AND Zlib", true),
            ("(GPL-3.0 OR MIT) AND GPL-2.0", false),
            ("Apache-2.0", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
        ] {
            assert_eq!(allowed(expression, &allow), Ok(expected), "{expression}");
        }
        for broken in ["", "MIT OR", "(MIT", "MIT Zlib", "AND", "MIT WITH", "MIT)"] {
            assert!(allowed(broken, &allow).is_err(), "{broken}");
        }
    }
}
