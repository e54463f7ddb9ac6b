//! Members of a JSON object in their order.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// The members, in the order they were written: the order of a query says something.
#[derive(Debug)]
pub(super) struct Pairs<V>(pub(super) Vec<(String, V)>);

impl<V> Default for Pairs<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl Pairs<Vec<String>> {
    /// Each name with each of its values, or those of `single` where there are none.
    pub(super) fn or(self, single: Pairs<String>) -> Vec<(String, String)> {
        if self.0.is_empty() {
            return single.0;
        }
        let each = |(name, values): (String, Vec<String>)| {
            values.into_iter().map(move |value| (name.clone(), value))
        };
        self.0.into_iter().flat_map(each).collect()
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Members(PhantomData))
    }
}

struct Members<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for Members<V> {
    type Value = Pairs<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or null")
    }

    /// Gateways write null where there is nothing.
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Pairs::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or_default());
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_null_is_none() {
        let read = |text: &str| serde_json::from_str::<Pairs<String>>(text).map(|pairs| pairs.0);
        let of = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            let owned = pairs
                .iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
            owned.collect()
        };
        let found = read(r#"{"z":"1","a":"2","z":"3"}"#).expect("members");
        assert_eq!(found, of(&[("z", "1"), ("a", "2"), ("z", "3")]));
        assert_eq!(read("null").expect("nothing"), []);
        assert!(read("[]").is_err() && read(r#"{"a":1}"#).is_err());
    }
}
