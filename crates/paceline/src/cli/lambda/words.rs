//! Words of the command line that mean something of Lambda.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use paceline_deploy::deployment::{Architecture, Entry};

/// `rest`, `http`, `url` or `direct`.
pub(super) fn entry() -> impl TypedValueParser<Value = Entry> {
    PossibleValuesParser::new(Entry::ALL.map(Entry::name)).map(|word| {
        let named = Entry::ALL.into_iter().find(|entry| entry.name() == word);
        named.expect("only these words are let through")
    })
}

/// `arm64` or `x86_64`.
pub(super) fn architecture() -> impl TypedValueParser<Value = Architecture> {
    let names = [Architecture::Arm64, Architecture::X86_64].map(Architecture::name);
    PossibleValuesParser::new(names).map(|word| match word.as_str() {
        "arm64" => Architecture::Arm64,
        _ => Architecture::X86_64,
    })
}

/// A number above zero, with a fraction where it needs one.
pub(super) fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("expected a number above zero, such as 2.5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::positive;

    #[test]
    fn numbers_are_above_zero() {
        assert_eq!(positive("0.5"), Ok(0.5));
        for wrong in ["0", "-1", "inf", "NaN", "", "1,5"] {
            assert!(positive(wrong).is_err(), "{wrong}");
        }
    }
}
