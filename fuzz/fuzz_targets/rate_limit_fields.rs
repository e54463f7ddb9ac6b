#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| paceline_fuzz_bodies::rate_limit_fields(data));
