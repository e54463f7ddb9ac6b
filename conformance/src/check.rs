//! Compares an answer with what is expected of it.

use crate::case::{Behaviour, BodyExpected, Expected, LengthExpected, TagExpected};
use crate::exchange::{Ended, Observed};

/// Everything about the answers so far that a check may need.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) origin: &'a Behaviour,
    /// The answers of the steps before.
    pub(crate) earlier: &'a [Observed],
    pub(crate) is_head: bool,
    /// How often the origin acted on this request.
    pub(crate) writes: Option<u64>,
}

/// What is not as expected, one sentence each.
pub(crate) fn differences(
    expected: &Expected,
    observed: &Observed,
    context: &Context<'_>,
) -> Vec<String> {
    let mut found = Vec::new();
    let statuses = if expected.status.is_empty() {
        &[200][..]
    } else {
        &expected.status
    };
    if !statuses.contains(&observed.status) {
        found.push(format!(
            "status {} instead of {statuses:?}",
            observed.status
        ));
    }
    fields(expected, observed, context.earlier, &mut found);
    if let Some(expected) = expected.vary {
        found.extend(vary(expected, observed));
    }
    for name in &expected.names_in_vary {
        if !vary_names(observed).contains(name) {
            found.push(format!("Vary does not name {name}"));
        }
    }
    tags(expected, observed, context.earlier, &mut found);
    body(expected, observed, context, &mut found);
    writes(expected, observed, context.writes, &mut found);
    found
}

fn fields(expected: &Expected, observed: &Observed, earlier: &[Observed], found: &mut Vec<String>) {
    let coding = observed.coding();
    if !expected.coding.is_empty() && !expected.coding.contains(&coding) {
        found.push(format!(
            "coding {coding} instead of {}",
            expected.coding.join(" or ")
        ));
    }
    for (name, value) in &expected.fields {
        let is = observed.field(name);
        if is.as_ref() != Some(value) {
            found.push(format!("{name} is {is:?} instead of {value:?}"));
        }
    }
    for name in &expected.has {
        if observed.field(name).is_none() {
            found.push(format!("{name} is missing"));
        }
    }
    for name in &expected.lacks {
        if let Some(value) = observed.field(name) {
            found.push(format!("{name} is there: {value}"));
        }
    }
    for (name, step) in &expected.same {
        let (before, now) = (earlier[step - 1].field(name), observed.field(name));
        if before != now {
            found.push(format!(
                "{name} is {now:?}, in step {step} it was {before:?}"
            ));
        }
    }
}

/// `Vary` must cover `Accept-Encoding`, once; where it must not, an encoded answer is what another client gets.
fn vary(expected: bool, observed: &Observed) -> Option<String> {
    let value = observed.field("vary").unwrap_or_default();
    let names = vary_names(observed);
    let times = names
        .iter()
        .filter(|name| *name == "accept-encoding")
        .count();
    let covers = times > 0 || names.iter().any(|name| name == "*");
    match expected {
        true if !covers => Some(format!(
            "Vary is {value:?} and does not cover Accept-Encoding"
        )),
        true if times > 1 => Some(format!("Vary names Accept-Encoding {times} times: {value}")),
        false if covers => Some(format!("Vary is {value:?} although nothing was negotiated")),
        _ => None,
    }
}

/// In lower case.
fn vary_names(observed: &Observed) -> Vec<String> {
    let value = observed.field("vary").unwrap_or_default();
    value
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .collect()
}

fn tags(expected: &Expected, observed: &Observed, earlier: &[Observed], found: &mut Vec<String>) {
    let tag = observed.field("etag");
    let is_weak = |tag: &String| tag.starts_with("W/");
    let is_well_formed = |tag: &String| {
        let quoted = tag.strip_prefix("W/").unwrap_or(tag);
        quoted.len() >= 2 && quoted.starts_with('"') && quoted.ends_with('"')
    };
    if let Some(tag) = tag.as_ref().filter(|tag| !is_well_formed(tag)) {
        found.push(format!("{tag} is no entity tag"));
    }
    match (expected.tag, &tag) {
        (Some(_), None) => found.push("there is no ETag".to_owned()),
        (Some(TagExpected::Strong), Some(tag)) if is_weak(tag) => {
            found.push(format!("the tag {tag} is weak"));
        }
        (Some(TagExpected::Weak), Some(tag)) if !is_weak(tag) => {
            found.push(format!("the tag {tag} is strong"));
        }
        _ => {}
    }
    if let (Some(step), Some(tag)) = (expected.tag_not_shared_with, &tag) {
        let other = earlier[step - 1].field("etag");
        if !is_weak(tag) && other.as_ref() == Some(tag) {
            found.push(format!(
                "the strong tag {tag} is that of step {step}, whose bytes are others"
            ));
        }
    }
}

fn body(expected: &Expected, observed: &Observed, context: &Context<'_>, found: &mut Vec<String>) {
    if let Some(text) = &expected.seen
        && !observed.seen
    {
        found.push(format!(
            "{text:?} could not be read while the origin paused"
        ));
        return;
    }
    let has_length = observed.field("content-length");
    match expected.length {
        Some(LengthExpected::Absent) if has_length.is_some() => {
            found.push("Content-Length is there".to_owned());
        }
        Some(LengthExpected::Exact) if has_length != Some(observed.raw.len().to_string()) => {
            found.push(format!(
                "Content-Length is {has_length:?} for {} bytes",
                observed.raw.len()
            ));
        }
        _ => {}
    }
    if let (Some(step), Some(length)) = (expected.length_of, &has_length) {
        let sent = context.earlier[step - 1].raw.len();
        if *length != sent.to_string() {
            found.push(format!(
                "Content-Length is {length}, the GET sent {sent} bytes"
            ));
        }
    }
    let is_broken = observed.ended == Ended::Broken;
    if let Some(expected) = expected.broken
        && expected != is_broken
    {
        found.push(
            if is_broken {
                "the transfer broke off"
            } else {
                "the transfer ended as if it were complete"
            }
            .to_owned(),
        );
    }
    if expected.not_larger && observed.raw.len() > context.origin.whole().len() {
        found.push(format!(
            "{} bytes were sent for {}",
            observed.raw.len(),
            context.origin.whole().len()
        ));
    }
    content(expected, observed, context, found);
}

fn content(
    expected: &Expected,
    observed: &Observed,
    context: &Context<'_>,
    found: &mut Vec<String>,
) {
    let by_default = if observed.status == 200 && !context.is_head && expected.seen.is_none() {
        BodyExpected::Whole
    } else {
        BodyExpected::Any
    };
    let wanted = expected.body.unwrap_or(by_default);
    if wanted == BodyExpected::Any {
        return;
    }
    let Some(decoded) = &observed.decoded else {
        found.push(format!("the coding {} is not known", observed.coding()));
        return;
    };
    let whole = context.origin.whole();
    let holds = match wanted {
        BodyExpected::Whole => decoded.is_complete && decoded.data == whole,
        BodyExpected::Empty => observed.raw.is_empty(),
        BodyExpected::Beginning => !decoded.data.is_empty() && whole.starts_with(&decoded.data),
        BodyExpected::Any => true,
    };
    if !holds {
        let state = if decoded.is_complete {
            "complete"
        } else {
            "cut off"
        };
        found.push(format!(
            "the body is not {wanted:?}: {} bytes decoded ({state}) of {}",
            decoded.data.len(),
            whole.len()
        ));
    }
}

fn writes(expected: &Expected, observed: &Observed, writes: Option<u64>, found: &mut Vec<String>) {
    let Some(writes) = writes else { return };
    if let Some(expected) = expected.writes
        && expected != writes
    {
        found.push(format!(
            "the origin acted {writes} times instead of {expected}"
        ));
    }
    if expected.agrees_with_writes && (observed.status < 400) != (writes > 0) {
        found.push(format!(
            "status {} although the origin acted {writes} times",
            observed.status
        ));
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;
    use crate::decode::decode;

    fn observed(status: u16, lines: &[(&'static str, &'static str)], body: &[u8]) -> Observed {
        let pair = |&(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        let headers: HeaderMap = lines.iter().map(pair).collect();
        Observed {
            status,
            headers,
            raw: body.to_vec(),
            ended: Ended::Whole,
            decoded: decode("", body),
            seen: false,
        }
    }

    fn check(expected: &str, observed: &Observed, earlier: &[Observed], count: usize) {
        let expected: Expected = toml::from_str(expected).expect("an expectation");
        let origin = Behaviour {
            size: 20,
            ..Behaviour::default()
        };
        let context = Context {
            origin: &origin,
            earlier,
            is_head: false,
            writes: Some(1),
        };
        let found = differences(&expected, observed, &context);
        assert_eq!(found.len(), count, "{expected:?}: {found:?}");
    }

    #[test]
    fn each_expectation_can_fail() {
        let whole = Behaviour {
            size: 20,
            ..Behaviour::default()
        }
        .whole();
        let lines = [
            ("etag", "\"v\""),
            ("vary", "accept-encoding"),
            ("content-length", "20"),
        ];
        let good = observed(200, &lines, &whole);
        let earlier = [observed(200, &[("etag", "\"v\"")], b"")];
        check("", &good, &[], 0);
        check(
            "vary = true\nlength = 'exact'\ntag = 'strong'\nwrites = 1\nagrees_with_writes = true\nnot_larger = true",
            &good,
            &[],
            0,
        );
        for wrong in [
            "status = [304]",
            "coding = ['gzip']",
            "body = 'empty'",
            "length = 'absent'",
            "vary = false",
            "fields = { etag = '\"w\"' }",
            "has = ['x']",
            "lacks = ['etag']",
            "same = { vary = 1 }",
            "names_in_vary = ['cookie']",
            "length_of = 1",
            "tag = 'weak'",
            "tag_not_shared_with = 1",
            "seen = 'x'",
            "broken = true",
            "writes = 0",
        ] {
            check(wrong, &good, &earlier, 1);
        }
        check("", &observed(200, &[], &whole[1..]), &[], 1);
        check(
            "vary = true",
            &observed(200, &[("vary", "accept-encoding, Accept-Encoding")], &whole),
            &[],
            1,
        );
        check(
            "agrees_with_writes = true\nstatus = [406]",
            &observed(406, &[], b""),
            &[],
            1,
        );
        check(
            "not_larger = true\nbody = 'any'",
            &observed(200, &[], &[0; 21]),
            &[],
            1,
        );
        check("", &observed(200, &[("etag", "v")], &whole), &[], 1);
    }
}
