use std::fs;

use super::{lambda, refused};
use crate::server::BINARY;

#[test]
fn an_archive_is_the_same_bytes_twice() {
    let folder = tempfile::tempdir().unwrap();
    // The test binary itself may need a newer C library than the function has: any program does.
    let program = [b"\x7fELF\x02\x01\x01".to_vec(), vec![0; 9]].concat();
    let mut program = [
        program,
        2_u16.to_le_bytes().to_vec(),
        62_u16.to_le_bytes().to_vec(),
    ]
    .concat();
    program.resize(64, 0);
    program[24] = 1;
    fs::write(folder.path().join("program"), program).unwrap();
    fs::create_dir_all(folder.path().join("service/certificates")).unwrap();
    fs::write(folder.path().join("service/paceline.toml"), "[database]\n").unwrap();
    fs::write(folder.path().join("service/certificates/ca.pem"), "x").unwrap();
    let write = |output: &str| {
        let arguments = [
            "package",
            "--binary",
            "program",
            "--config",
            "service/paceline.toml",
            "--include",
            "service/certificates/ca.pem",
            "--output",
            output,
        ];
        let (code, out, err) = lambda(folder.path(), &arguments);
        assert_eq!(code, 0, "{out}{err}");
        assert!(
            out.starts_with(output) && out.contains("for x86_64"),
            "{out}"
        );
        fs::read(folder.path().join(output)).unwrap()
    };
    let (first, second) = (write("a.zip"), write("b.zip"));
    assert!(first == second);
    for name in ["bootstrap", "paceline.toml", "certificates/ca.pem"] {
        let found = first
            .windows(name.len())
            .any(|part| part == name.as_bytes());
        assert!(found, "{name}");
    }
}

#[test]
fn what_is_no_function_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("script"), "#!/bin/sh\n").unwrap();
    fs::write(folder.path().join("paceline.toml"), "").unwrap();
    let other = if cfg!(target_arch = "aarch64") {
        "x86_64"
    } else {
        "arm64"
    };
    for (arguments, parts) in [
        (&["--binary", "script"][..], &["script", "no ELF file"][..]),
        (&["--binary", "nothing"], &["nothing", "cannot read"]),
        (
            &["--binary", BINARY, "--architecture", other],
            &[other, "--architecture"],
        ),
        (
            &["--binary", BINARY, "--architecture", "mips"],
            &["--architecture"],
        ),
        (&["--config", "missing.toml"], &["missing.toml"]),
        (&["--include", "missing.pem"], &["missing.pem"]),
        (
            &["--config", "paceline.toml", "--include", "paceline.toml"],
            &["paceline.toml", "another name"],
        ),
    ] {
        let line: Vec<&str> = ["package", "--output", "f.zip"]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        refused(folder.path(), &line, parts);
    }
    refused(folder.path(), &["package"], &["--output"]);
    assert!(!folder.path().join("f.zip").exists());
}
