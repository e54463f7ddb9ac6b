//! The rows behind a cursor's position, as conditions that an index serves.
//!
//! Each key knows on which side of the values its `NULL`s lie.

use super::condition::Conditions;
use super::order::{Order, OrderKey};
use crate::statement::Value;

/// What no row meets.
const NEVER: &str = "1 = 0";

/// Conditions of which each row behind the one with these sort-key values meets exactly one, in the order
/// the rows come.
///
/// In one direction over columns without `NULL` this is a comparison of row values. Else it is spelled out:
/// equal in the first keys and behind in the next. Where the first key may be `NULL` there are two, since
/// no single range of an index holds both `NULL` and the values below another.
pub(super) fn ranges(order: &Order, values: &[Value], conditions: &mut Conditions) -> Vec<String> {
    ranges_of(&order.keys, values, conditions)
}

fn ranges_of(keys: &[OrderKey], values: &[Value], conditions: &mut Conditions) -> Vec<String> {
    let ([first, rest @ ..], [value, others @ ..]) = (keys, values) else {
        return vec![NEVER.to_owned()];
    };
    let as_rows = keys.len() == 1 || conditions.dialect().compares_rows();
    if as_rows && is_plain(keys) {
        return vec![row_value(keys, values, conditions)];
    }
    let column = &first.expression;
    if *value == Value::Null {
        let mut ranges: Vec<String> = ranges_of(rest, others, conditions)
            .into_iter()
            .map(|range| format!("{column} IS NULL AND {range}"))
            .collect();
        if !first.nulls_last {
            ranges.push(format!("{column} IS NOT NULL"));
        }
        return ranges;
    }
    // The bound of the first key lets an index skip to the position.
    let operator = if first.descending { "<=" } else { ">=" };
    let bound = format!("{column} {operator} {}", bind(first, value, conditions));
    let without_null = OrderKey {
        nullable: false,
        ..first.clone()
    };
    let keys = [&[without_null], rest].concat();
    let mut ranges = vec![format!("{bound} AND {}", behind(&keys, values, conditions))];
    if first.nulls_last && first.nullable {
        ranges.push(format!("{column} IS NULL"));
    }
    ranges
}

/// Whether all keys go one way and none is ever `NULL`.
fn is_plain(keys: &[OrderKey]) -> bool {
    keys.iter()
        .all(|key| !key.nullable && key.descending == keys[0].descending)
}

fn row_value(keys: &[OrderKey], values: &[Value], conditions: &mut Conditions) -> String {
    let left: Vec<&str> = keys.iter().map(|key| key.expression.as_str()).collect();
    let right: Vec<String> = keys
        .iter()
        .zip(values)
        .map(|(key, value)| bind(key, value, conditions))
        .collect();
    let operator = if keys[0].descending { "<" } else { ">" };
    match (left.as_slice(), right.as_slice()) {
        ([left], [right]) => format!("{left} {operator} {right}"),
        _ => format!("({}) {operator} ({})", left.join(", "), right.join(", ")),
    }
}

fn bind(key: &OrderKey, value: &Value, conditions: &mut Conditions) -> String {
    conditions.bind(value, key.parameter_type.as_deref())
}

/// Behind in the first key, or equal in it and behind in the others.
fn behind(keys: &[OrderKey], values: &[Value], conditions: &mut Conditions) -> String {
    let ([key, keys @ ..], [value, values @ ..]) = (keys, values) else {
        return NEVER.to_owned();
    };
    let left = &key.expression;
    let (equal, beyond) = if *value == Value::Null {
        let beyond = (!key.nulls_last).then(|| format!("{left} IS NOT NULL"));
        (format!("{left} IS NULL"), beyond)
    } else {
        let right = bind(key, value, conditions);
        let operator = if key.descending { "<" } else { ">" };
        let beyond = if key.nulls_last && key.nullable {
            format!("({left} {operator} {right} OR {left} IS NULL)")
        } else {
            format!("{left} {operator} {right}")
        };
        (format!("{left} = {right}"), Some(beyond))
    };
    let equal =
        (!keys.is_empty()).then(|| format!("({equal} AND {})", behind(keys, values, conditions)));
    match (beyond, equal) {
        (Some(beyond), Some(equal)) => format!("({beyond} OR {equal})"),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => NEVER.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, descending: bool, nullable: bool) -> OrderKey {
        OrderKey {
            expression: name.to_owned(),
            column: None,
            descending,
            nullable,
            nulls_last: descending,
            parameter_type: None,
        }
    }

    fn ranges_of(keys: Vec<OrderKey>, values: &[Value]) -> Vec<String> {
        let order = Order {
            keys,
            is_total: true,
        };
        ranges(&order, values, &mut Conditions::default())
    }

    #[test]
    fn one_direction_without_null_compares_rows() {
        let keys = vec![key("x", true, false), key("id", true, false)];
        let found = ranges_of(keys, &[Value::Integer(5), Value::Integer(9)]);
        assert_eq!(found, ["(x, id) < (?1, ?2)"]);
        let found = ranges_of(vec![key("id", false, false)], &[Value::Integer(9)]);
        assert_eq!(found, ["id > ?1"]);
    }

    #[test]
    fn rows_are_not_compared_where_no_index_serves_that() {
        let order = Order {
            keys: vec![key("x", true, false), key("id", true, false)],
            is_total: true,
        };
        let at = |values: &[Value]| {
            let dialect = crate::SqlDialect::MySql(crate::MySqlFlavor::MariaDb);
            ranges(&order, values, &mut Conditions::new(dialect))
        };
        assert_eq!(
            at(&[Value::Integer(5), Value::Integer(9)]),
            ["x <= ?1 AND (x < ?2 OR (x = ?2 AND id < ?3))"]
        );
    }

    #[test]
    fn two_directions_are_spelled_out_behind_a_bound() {
        let keys = vec![key("x", false, false), key("id", true, false)];
        let found = ranges_of(keys, &[Value::Integer(5), Value::Integer(9)]);
        assert_eq!(found, ["x >= ?1 AND (x > ?2 OR (x = ?2 AND id < ?3))"]);
    }

    #[test]
    fn null_comes_first_ascending_and_last_descending() {
        let at = |descending, value| {
            let keys = vec![key("x", descending, true), key("id", descending, false)];
            ranges_of(keys, &[value, Value::Integer(9)])
        };
        assert_eq!(
            at(false, Value::Null),
            ["x IS NULL AND id > ?1", "x IS NOT NULL"]
        );
        assert_eq!(at(true, Value::Null), ["x IS NULL AND id < ?1"]);
        assert_eq!(
            at(true, Value::Integer(5)),
            ["x <= ?1 AND (x < ?2 OR (x = ?2 AND id < ?3))", "x IS NULL"]
        );
        assert_eq!(
            at(false, Value::Integer(5)),
            ["x >= ?1 AND (x > ?2 OR (x = ?2 AND id > ?3))"]
        );
    }

    #[test]
    fn null_may_be_the_largest_value_too() {
        let at = |descending, value| {
            let largest = |key: OrderKey| OrderKey {
                nulls_last: !key.descending,
                ..key
            };
            let keys = vec![
                largest(key("x", descending, true)),
                largest(key("id", descending, false)),
            ];
            ranges_of(keys, &[value, Value::Integer(9)])
        };
        assert_eq!(at(false, Value::Null), ["x IS NULL AND id > ?1"]);
        assert_eq!(
            at(true, Value::Null),
            ["x IS NULL AND id < ?1", "x IS NOT NULL"]
        );
        assert_eq!(
            at(false, Value::Integer(5)),
            ["x >= ?1 AND (x > ?2 OR (x = ?2 AND id > ?3))", "x IS NULL"]
        );
        assert_eq!(
            at(true, Value::Integer(5)),
            ["x <= ?1 AND (x < ?2 OR (x = ?2 AND id < ?3))"]
        );
    }

    #[test]
    fn null_in_a_later_key_stays_in_its_range() {
        let keys = vec![
            key("x", false, false),
            key("y", true, true),
            key("id", true, false),
        ];
        let values = [Value::Integer(1), Value::Integer(2), Value::Integer(3)];
        assert_eq!(
            ranges_of(keys, &values),
            [
                "x >= ?1 AND (x > ?2 OR (x = ?2 AND ((y < ?3 OR y IS NULL) OR (y = ?3 AND id < ?4))))"
            ]
        );
    }
}
