//! Walks the parsed file, keeps every mistake, and remembers where each value stands.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::Mistake;
use super::values::Invalid;
use super::variables::{ExpandError, expand};

/// Looks an environment variable up.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where each value stands in the file, by its dotted key (`resources.users.hidden[0]`).
pub(super) type Spans = BTreeMap<String, Range<usize>>;

/// What is found on the way through the file.
pub(super) struct Reader<'a> {
    lookup: Lookup<'a>,
    mistakes: RefCell<Vec<Mistake>>,
    spans: RefCell<Spans>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: Lookup<'a>) -> Self {
        Self {
            lookup,
            mistakes: RefCell::default(),
            spans: RefCell::default(),
        }
    }

    pub(super) fn report(&self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }

    /// Where `key` stands, or the table it would stand in, or the start of the file.
    pub(super) fn span(&self, key: &str) -> Range<usize> {
        let spans = self.spans.borrow();
        let table = || spans.get(key.rsplit_once('.')?.0);
        spans.get(key).or_else(table).cloned().unwrap_or(0..0)
    }

    /// Whether `key` is in the file.
    pub(super) fn has_span(&self, key: &str) -> bool {
        self.spans.borrow().contains_key(key)
    }

    pub(super) fn finish(self) -> (Vec<Mistake>, Spans) {
        (self.mistakes.into_inner(), self.spans.into_inner())
    }
}

/// A string value after expansion.
#[expect(clippy::struct_field_names, reason = "`text` is what it is")]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) span: Range<usize>,
    conceal: bool,
}

/// A value whose key may be any.
pub(super) enum NamedValue<'a, 'r> {
    /// One string, or a list of them.
    Texts(Vec<String>),
    /// A table.
    Table(Section<'a, 'r>),
}

/// One table of the file.
///
/// Each getter answers `None` when the key is absent or wrong; a wrong one has been reported, and
/// the configuration will not be used, so callers go on with the default either way.
pub(super) struct Section<'a, 'r> {
    pub(super) reader: &'r Reader<'a>,
    table: &'r DeTable<'r>,
    /// The dotted key, empty for the whole file.
    pub(super) path: String,
    pub(super) span: Range<usize>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a, 'r> Section<'a, 'r> {
    pub(super) fn root(reader: &'r Reader<'a>, table: &'r DeTable<'r>) -> Self {
        Self::new(reader, table, String::new(), 0..0)
    }

    fn new(
        reader: &'r Reader<'a>,
        table: &'r DeTable<'r>,
        path: String,
        span: Range<usize>,
    ) -> Self {
        reader.spans.borrow_mut().insert(path.clone(), span.clone());
        Self {
            reader,
            table,
            path,
            span,
            known: RefCell::default(),
        }
    }

    /// The dotted key of `key` in this table.
    pub(super) fn key(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn get(&self, key: &'static str) -> Option<&'r Spanned<DeValue<'r>>> {
        self.known.borrow_mut().push(key);
        let value = self.table.get(key)?;
        self.reader
            .spans
            .borrow_mut()
            .insert(self.key(key), value.span());
        Some(value)
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let message = format!("`{key}` is {found}");
        self.reader
            .report(Mistake::new(value.span(), message).expected(expected));
    }

    fn text_of(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) -> Option<Text> {
        let DeValue::String(raw) = value.get_ref() else {
            self.wrong_type(key, value, expected);
            return None;
        };
        match expand(raw, self.reader.lookup) {
            Ok(expanded) => Some(Text {
                text: expanded.text,
                span: value.span(),
                conceal: expanded.from_environment,
            }),
            Err(ExpandError::Missing(name)) => {
                let message = format!("the environment variable {name} is not set");
                self.reader
                    .report(Mistake::new(value.span(), message).suggestion(format!(
                        "set {name}, or write the value; $$ is a dollar sign"
                    )));
                None
            }
            Err(ExpandError::Malformed) => {
                self.reader.report(
                    Mistake::new(
                        value.span(),
                        format!("`{key}` has a $ that starts no variable"),
                    )
                    .expected("${NAME}, or $$ for a dollar sign"),
                );
                None
            }
        }
    }

    fn parse_text<T>(
        &self,
        key: &str,
        text: &Text,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        match parse(&text.text) {
            Ok(value) => Some(value),
            Err(invalid) => {
                let conceal = text.conceal || invalid.conceals;
                let message = if conceal {
                    format!("`{key}` does not fit")
                } else {
                    format!("`{key}` cannot be {:?}", text.text)
                };
                // Where the string may hold a password, the sentence about it never does.
                let told = !text.conceal || invalid.conceals;
                let suggestion = invalid.suggestion.filter(|_| told);
                let mut mistake =
                    Mistake::new(text.span.clone(), message).expected(invalid.expected);
                mistake = mistake.concealed(invalid.conceals);
                if let Some(suggestion) = suggestion {
                    mistake = mistake.suggestion(suggestion);
                }
                self.reader.report(mistake);
                None
            }
        }
    }

    /// A string that `parse` takes.
    pub(super) fn parsed<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        let value = self.get(key)?;
        let text = self.text_of(key, value, &hint(value, &parse))?;
        self.parse_text(key, &text, parse)
    }

    /// As [`Section::parsed`], for a value that must never be shown, whatever is wrong with it.
    pub(super) fn secret<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        let value = self.get(key)?;
        let text = self.text_of(key, value, "a string")?;
        match parse(&text.text) {
            Ok(value) => Some(value),
            Err(invalid) => {
                self.reader.report(
                    Mistake::new(text.span.clone(), format!("`{key}` does not fit"))
                        .expected(invalid.expected)
                        .concealed(true),
                );
                None
            }
        }
    }

    /// As [`Section::parsed`]; an absent key is a mistake.
    pub(super) fn required<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        if !self.table.contains_key(key) {
            self.known.borrow_mut().push(key);
            self.missing(key);
            return None;
        }
        self.parsed(key, parse)
    }

    /// Reports that `key` has to be given.
    pub(super) fn missing(&self, key: &str) {
        let (message, expected) = if self.path.is_empty() {
            (format!("there is no [{key}]"), format!("a table [{key}]"))
        } else {
            let message = format!("[{}] has no `{key}`", self.path);
            (message, format!("the key `{key}` in this table"))
        };
        let mistake = Mistake::new(self.span.clone(), message);
        self.reader.report(mistake.expected(expected).absence());
    }

    /// Whether the key is there, right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A whole number within `range`.
    pub(super) fn integer(&self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.get(key)?;
        let expected = if *range.end() == u64::MAX || *range.end() == u64::from(u32::MAX) {
            format!("a whole number of at least {}", range.start())
        } else {
            format!("a whole number from {} to {}", range.start(), range.end())
        };
        let DeValue::Integer(raw) = value.get_ref() else {
            self.wrong_type(key, value, &expected);
            return None;
        };
        let number = u64::from_str_radix(raw.as_str(), raw.radix()).ok();
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let message = format!("`{key}` cannot be {}", raw.as_str());
            self.reader
                .report(Mistake::new(value.span(), message).expected(expected));
        }
        number
    }

    /// As [`Section::integer`], within 32 bits.
    pub(super) fn integer32(&self, key: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        let range = u64::from(*range.start())..=u64::from(*range.end());
        self.integer(key, range)
            .and_then(|number| u32::try_from(number).ok())
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.wrong_type(key, value, "true or false, without quotes");
        }
        found
    }

    /// A list of strings that `parse` takes, each once.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<Vec<T>> {
        let value = self.get(key)?;
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of strings, such as [\"one\", \"two\"]");
            return None;
        };
        let mut seen: Vec<String> = Vec::new();
        let mut parsed = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let place = format!("{}[{index}]", self.key(key));
            self.reader.spans.borrow_mut().insert(place, item.span());
            let Some(text) = self.text_of(key, item, "a string") else {
                continue;
            };
            if seen.contains(&text.text) {
                let message = format!("`{key}` names this twice");
                self.reader
                    .report(Mistake::new(item.span(), message).expected("each once"));
            }
            parsed.extend(self.parse_text(key, &text, &parse));
            seen.push(text.text);
        }
        Some(parsed)
    }

    /// The table under `key`.
    pub(super) fn section(&self, key: &'static str) -> Option<Section<'a, 'r>> {
        let value = self.get(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(key, value, &format!("a table: [{}]", self.key(key)));
            return None;
        };
        Some(Self::new(self.reader, table, self.key(key), value.span()))
    }

    /// The tables of `[[key]]`.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Section<'a, 'r>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(
                key,
                value,
                &format!("a list of tables: [[{}]]", self.key(key)),
            );
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match item.get_ref().as_table() {
                Some(table) => {
                    let path = format!("{}[{index}]", self.key(key));
                    sections.push(Self::new(self.reader, table, path, item.span()));
                }
                None => self.wrong_type(key, item, &format!("a table: [[{}]]", self.key(key))),
            }
        }
        sections
    }

    /// The tables in this one, whatever their names, in the order of the file.
    pub(super) fn named_sections(&self) -> Vec<(String, Section<'a, 'r>)> {
        let mut sections = Vec::new();
        for (name, value) in self.table {
            let path = self.key(name.get_ref());
            match value.get_ref().as_table() {
                Some(table) => {
                    let section = Self::new(self.reader, table, path, value.span());
                    sections.push((name.get_ref().to_string(), section));
                }
                None => self.wrong_type(name.get_ref(), value, &format!("a table: [{path}]")),
            }
        }
        sections.sort_by_key(|(_, section)| section.span.start);
        sections
    }

    /// The pairs in this table, whatever their keys: each value one string, a list of them, or a table.
    pub(super) fn named_values(&self) -> Vec<(String, NamedValue<'a, 'r>)> {
        let mut values = Vec::new();
        for (name, value) in self.table {
            let key = name.get_ref();
            if let Some(table) = value.get_ref().as_table() {
                let section = Self::new(self.reader, table, self.key(key), value.span());
                values.push((key.to_string(), NamedValue::Table(section)));
                continue;
            }
            self.reader
                .spans
                .borrow_mut()
                .insert(self.key(key), value.span());
            let expected = "a string, a list of strings, or a table";
            let one = [value];
            let items: Vec<&Spanned<DeValue<'_>>> = match value.get_ref().as_array() {
                Some(items) => items.iter().collect(),
                None => one.to_vec(),
            };
            let texts = items
                .iter()
                .filter_map(|item| self.text_of(key, item, expected));
            let texts = texts.map(|text| text.text).collect();
            values.push((key.to_string(), NamedValue::Texts(texts)));
        }
        values
    }

    /// Reports the keys nobody asked for. Call it last.
    pub(super) fn finish(&self) {
        let known = self.known.borrow();
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let place = match self.path.split('[').next().unwrap_or_default() {
                "" => "the file".to_owned(),
                path => format!("[{path}]"),
            };
            let mistake = Mistake::new(key.span(), format!("unknown key `{name}` in {place}"));
            self.reader.report(match nearest(name, &known) {
                Some(near) => mistake.suggestion(format!("did you mean `{near}`?")),
                None => mistake.expected(format!("one of: {}", known.join(", "))),
            });
        }
    }
}

/// What the key wants, told by the way it refuses the bare number written there.
fn hint<T>(value: &Spanned<DeValue<'_>>, parse: &impl Fn(&str) -> Result<T, Invalid>) -> String {
    let number = value
        .get_ref()
        .as_integer()
        .map_or("", |integer| integer.as_str());
    match parse(number) {
        Err(Invalid {
            expected,
            suggestion: Some(suggestion),
            ..
        }) => {
            format!("{expected}; {suggestion}")
        }
        Err(Invalid { expected, .. }) => expected,
        Ok(_) => "a string".to_owned(),
    }
}

/// The candidate closest to `name`, when one is close.
pub(super) fn nearest<'c>(name: &str, candidates: &[&'c str]) -> Option<&'c str> {
    candidates
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), *candidate))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}
