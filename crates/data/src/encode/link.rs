//! Links to the list of the rows related to a row.

use super::json_text::write_string;
use crate::cell::Row;
use crate::plan::format_key;
use crate::statement::Value;

/// The address of a list that a row's own values complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// The path, and the `?`.
    path: String,
    /// Parameters with the place of their value in the `SELECT` list.
    parameters: Vec<(String, usize)>,
    /// What is behind them.
    rest: String,
}

impl Link {
    /// The list under `path` of the rows in which these fields have these values. Names may be any.
    pub(crate) fn new(path: &str, fields: Vec<(String, usize)>) -> Self {
        let parameter = |(name, place): (String, usize)| {
            let reserved = crate::resource::RESERVED_PARAMETERS.contains(&name.as_str());
            let encoded = encode(&name);
            let name = if reserved || name.contains(['[', ']']) {
                format!("filter%5B{encoded}%5D")
            } else {
                encoded
            };
            (name, place)
        };
        Self {
            path: format!("{path}?"),
            parameters: fields.into_iter().map(parameter).collect(),
            rest: String::new(),
        }
    }

    /// The same list with one more parameter, written as it is to stand.
    pub(crate) fn with(mut self, parameter: &str) -> Self {
        self.rest.push('&');
        self.rest.push_str(parameter);
        self
    }

    /// Writes it as a JSON string.
    pub(crate) fn write(&self, row: &dyn Row, out: &mut Vec<u8>) {
        write_string(self.text(row).as_bytes(), out);
    }

    /// The address.
    pub(crate) fn text(&self, row: &dyn Row) -> String {
        let mut text = self.path.clone();
        for (position, (name, place)) in self.parameters.iter().enumerate() {
            if position > 0 {
                text.push('&');
            }
            text += name;
            text.push('=');
            text += &format_key(&[Value::from(row.cell(*place))]);
        }
        text + &self.rest
    }
}

fn encode(text: &str) -> String {
    format_key(&[Value::Text(text.to_owned())])
}
