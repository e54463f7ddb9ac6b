//! Archives are read back; programs are judged by what their files say.

use std::io::Read as _;

use paceline_deploy::deployment::Architecture;
use paceline_deploy::package::{
    Entry, Linkage, NotAProgram, Program, Size, Version, judge, judge_size, read,
    unknown_libraries, write,
};
use proptest::prelude::*;

use crate::elf::Elf;

fn file(name: &str, executable: bool, content: &[u8]) -> Entry {
    Entry {
        name: name.to_owned(),
        executable,
        content: content.to_vec(),
    }
}

fn some() -> Vec<Entry> {
    vec![
        file("paceline.toml", false, b"[database]\n"),
        file("bootstrap", true, &[7; 100_000]),
        file("certificates/ca.pem", false, b""),
    ]
}

#[test]
fn an_archive_is_the_same_bytes_twice_and_in_any_order() {
    let first = write(some()).unwrap();
    let mut other = some();
    other.reverse();
    assert_eq!(first, write(other).unwrap());
}

#[test]
fn an_archive_has_its_files_sorted_with_modes_and_one_time() {
    let bytes = write(some()).unwrap();
    let archive = rawzip::ZipArchive::from_slice(&bytes).unwrap();
    let mut entries = archive.entries();
    let mut found = Vec::new();
    while let Some(entry) = entries.next_entry().unwrap() {
        let name = entry
            .file_path()
            .try_normalize()
            .unwrap()
            .as_ref()
            .to_owned();
        let mode = entry.mode().value() & 0o777;
        let time = format!("{}", entry.last_modified());
        assert!(time.starts_with("1980-01-01"), "{time}");
        let local = archive.get_entry(entry.wayfinder()).unwrap();
        let mut content = Vec::new();
        let inflated = flate2::bufread::DeflateDecoder::new(local.data());
        local
            .verifying_reader(inflated)
            .read_to_end(&mut content)
            .unwrap();
        found.push((name, mode, content.len()));
    }
    let expected = [
        ("bootstrap".to_owned(), 0o755, 100_000),
        ("certificates/ca.pem".to_owned(), 0o644, 0),
        ("paceline.toml".to_owned(), 0o644, 11),
    ];
    assert_eq!(found, expected);
}

#[test]
fn names_that_lead_elsewhere_or_stand_twice_are_refused() {
    for name in ["", "/etc/passwd", "../x", "a//b", "a/./b", "a\\b", "a/"] {
        let refused = write(vec![file(name, false, b"")]).unwrap_err().to_string();
        assert!(
            refused.contains("no path inside an archive"),
            "{name}: {refused}"
        );
    }
    let twice = write(vec![file("a", false, b"1"), file("a", false, b"2")]);
    assert!(
        twice
            .unwrap_err()
            .to_string()
            .contains("give one of them another name")
    );
}

fn check_read(elf: &Elf, architecture: Option<Architecture>, linkage: &Linkage) {
    let program = read(&elf.bytes()).unwrap();
    assert_eq!(program.architecture, architecture);
    assert_eq!(&program.linkage, linkage);
}

fn dynamic(libraries: &[&str], glibc: Option<(u32, u32)>) -> Linkage {
    Linkage::Dynamic {
        loader: "/lib64/ld-linux-x86-64.so.2".to_owned(),
        libraries: libraries.iter().map(ToString::to_string).collect(),
        glibc: glibc.map(|(major, minor)| Version { major, minor }),
    }
}

#[test]
fn the_newest_version_that_a_program_needs_is_found() {
    let elf = Elf::x86_64()
        .needs("libc.so.6", &["GLIBC_2.2.5", "GLIBC_2.34", "GLIBC_PRIVATE"])
        .needs("libm.so.6", &["GLIBC_2.29"]);
    check_read(
        &elf,
        Some(Architecture::X86_64),
        &dynamic(&["libc.so.6", "libm.so.6"], Some((2, 34))),
    );
    // Numbers, not text: 2.4 is older than 2.34.
    let elf = Elf::x86_64().needs("libc.so.6", &["GLIBC_2.4", "GLIBC_2.34"]);
    check_read(
        &elf,
        Some(Architecture::X86_64),
        &dynamic(&["libc.so.6"], Some((2, 34))),
    );
    let elf = Elf::x86_64().needs("libc.so.6", &["GLIBC_ABI_DT_RELR"]);
    check_read(
        &elf,
        Some(Architecture::X86_64),
        &dynamic(&["libc.so.6"], Some((2, 36))),
    );
    check_read(
        &Elf::x86_64(),
        Some(Architecture::X86_64),
        &dynamic(&[], None),
    );
    check_read(
        &Elf::x86_64().fixed(),
        Some(Architecture::X86_64),
        &Linkage::Static,
    );
    check_read(
        &Elf::x86_64().fixed().machine(183),
        Some(Architecture::Arm64),
        &Linkage::Static,
    );
    check_read(&Elf::x86_64().fixed().machine(243), None, &Linkage::Static);
}

/// Why this program is refused on that processor; `None`: it is not.
fn refusal(elf: &Elf, wanted: Architecture) -> Option<String> {
    judge(&read(&elf.bytes()).unwrap(), wanted)
        .err()
        .map(|why| why.to_string())
}

#[test]
fn programs_that_cannot_run_there_are_refused_with_what_to_do() {
    let intel = Architecture::X86_64;
    let with = |version: &str| Elf::x86_64().needs("libc.so.6", &[version]);
    assert_eq!(refusal(&with("GLIBC_2.34"), intel), None);
    assert_eq!(refusal(&Elf::x86_64().fixed(), intel), None);
    for (elf, wanted, parts) in [
        (
            with("GLIBC_2.35"),
            intel,
            ["glibc 2.35", "2.34", "zigbuild"],
        ),
        (
            with("GLIBC_ABI_DT_RELR"),
            intel,
            ["glibc 2.36", "2.34", "musl"],
        ),
        (
            with("GLIBC_2.34"),
            Architecture::Arm64,
            ["x86_64", "arm64", "aarch64-unknown-linux-gnu"],
        ),
        (
            Elf::x86_64().machine(243),
            intel,
            ["does not have", "x86_64", "--architecture"],
        ),
        (
            Elf::x86_64().loader("/lib/ld-musl-x86_64.so.1"),
            intel,
            ["ld-musl", "does not have", "statically"],
        ),
    ] {
        let why = refusal(&elf, wanted).unwrap();
        for part in parts {
            assert!(why.contains(part), "no {part:?} in {why:?}");
        }
    }
    let elf = Elf::x86_64()
        .needs("libpq.so.5", &[])
        .needs("libc.so.6", &["GLIBC_2.34"]);
    assert_eq!(
        unknown_libraries(&read(&elf.bytes()).unwrap()),
        ["libpq.so.5"]
    );
}

#[test]
fn what_is_no_program_is_told() {
    for (bytes, expected) in [
        (b"#!/bin/sh\n".to_vec(), NotAProgram::Magic),
        (Vec::new(), NotAProgram::Magic),
        (b"\x7fELF\x01\x01".to_vec(), NotAProgram::Width),
        (b"\x7fELF\x02\x01".to_vec(), NotAProgram::Broken),
        (Elf::x86_64().fixed().kind(1).bytes(), NotAProgram::Kind),
        (Elf::x86_64().fixed().start(0).bytes(), NotAProgram::Kind),
    ] {
        assert_eq!(read(&bytes), Err(expected));
    }
}

#[test]
fn the_running_test_is_a_program_of_this_machine() {
    let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let program: Program = read(&bytes).unwrap();
    let here = if cfg!(target_arch = "aarch64") {
        Architecture::Arm64
    } else {
        Architecture::X86_64
    };
    assert_eq!(program.architecture, Some(here));
    if cfg!(target_env = "gnu") {
        let Linkage::Dynamic {
            libraries, glibc, ..
        } = program.linkage
        else {
            panic!("linked statically");
        };
        assert!(libraries.contains(&"libc.so.6".to_owned()), "{libraries:?}");
        assert!(
            glibc
                >= Some(Version {
                    major: 2,
                    minor: 28
                }),
            "{glibc:?}"
        );
    }
}

#[test]
fn sizes_are_judged() {
    let mb = 1 << 20;
    assert_eq!(judge_size(50 * mb, 250 * mb), Ok(Size::Direct));
    assert_eq!(judge_size(50 * mb + 1, 250 * mb), Ok(Size::OverS3));
    let refused = judge_size(mb, 250 * mb + 1).unwrap_err().to_string();
    assert!(
        refused.contains("250 MB") && refused.contains("strip"),
        "{refused}"
    );
}

proptest! {
    /// A broken file is an error, whatever is broken about it; never a panic, never without an end.
    #[test]
    fn broken_programs_are_errors(at in 0..4096_usize, byte in any::<u8>(), cut in 0..4096_usize) {
        let mut bytes = Elf::x86_64().needs("libc.so.6", &["GLIBC_2.34", "GLIBC_2.2.5"]).bytes();
        let length = bytes.len();
        bytes[at % length] = byte;
        let _ = read(&bytes);
        bytes.truncate(cut % length);
        let _ = read(&bytes);
    }

    #[test]
    fn any_bytes_are_a_program_or_an_error(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
        let start = b"\x7fELF\x02\x01";
        let length = bytes.len().min(start.len());
        bytes[..length].copy_from_slice(&start[..length]);
        let _ = read(&bytes);
    }
}
