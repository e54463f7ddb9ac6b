use super::*;

fn write_shop(path: &Path) -> Result<(), FolderError> {
    at(path, fs::write(path, "whole"))
}

fn make(path: &Path) -> Result<DemoFolder, FolderError> {
    let mut folder = DemoFolder::take(path)?;
    folder.shop(write_shop)?;
    Ok(folder)
}

/// The files below a folder, sorted, without the marker.
fn files(path: &Path) -> Vec<String> {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            }
            found.push(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
    let mut found = Vec::new();
    walk(path, path, &mut found);
    found.retain(|name| name != MARKER);
    found.sort();
    found
}

fn put(root: &Path, name: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, name).unwrap();
}

#[test]
fn a_shop_is_made_once_and_then_reused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a/demo");
    let mut folder = DemoFolder::take(&path).unwrap();
    assert_eq!(folder.shop(write_shop).unwrap(), Created::Now);
    drop(folder);
    let mut folder = DemoFolder::take(&path).unwrap();
    let never = |_: &Path| -> Result<(), FolderError> { panic!("it is there") };
    assert_eq!(folder.shop(never).unwrap(), Created::Before);
    assert_eq!(files(&path), [SHOP]);
}

#[test]
fn a_folder_with_other_files_is_refused_and_left_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "letters.txt");
    assert!(matches!(
        DemoFolder::take(root.path()),
        Err(FolderError::NotOurs(_))
    ));
    assert_eq!(files(root.path()), ["letters.txt"]);
    assert!(!root.path().join(MARKER).exists());
}

#[test]
fn an_interrupted_creation_is_not_taken_for_a_shop() {
    let root = tempfile::tempdir().unwrap();
    let mut folder = DemoFolder::take(root.path()).unwrap();
    let interrupted = |path: &Path| -> Result<(), FolderError> {
        fs::write(path, "half").unwrap();
        Err(FolderError::InUse(path.to_owned()))
    };
    folder.shop(interrupted).unwrap_err();
    drop(folder);
    assert_eq!(files(root.path()), [UNFINISHED]);
    let mut folder = DemoFolder::take(root.path()).unwrap();
    assert_eq!(folder.shop(write_shop).unwrap(), Created::Now);
    assert_eq!(fs::read_to_string(root.path().join(SHOP)).unwrap(), "whole");
    assert_eq!(files(root.path()), [SHOP]);
}

#[test]
fn fresh_removes_what_the_marker_names_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    drop(make(root.path()).unwrap());
    for own in [
        "jobs.db",
        "jobs.db-wal",
        "state/secret.key",
        "mail/new/1",
        "mail/tmp/2",
    ] {
        put(root.path(), own);
    }
    for other in ["letters.txt", "mail/new/sub/3", "mail/notes.txt"] {
        put(root.path(), other);
    }
    let mut folder = DemoFolder::take(root.path()).unwrap();
    folder.clear().unwrap();
    assert_eq!(
        files(root.path()),
        [
            "letters.txt",
            "mail",
            "mail/new",
            "mail/new/sub",
            "mail/new/sub/3",
            "mail/notes.txt"
        ]
    );
    assert_eq!(folder.shop(write_shop).unwrap(), Created::Now);
}

#[test]
fn fresh_on_an_empty_folder_makes_a_shop() {
    let root = tempfile::tempdir().unwrap();
    let mut folder = DemoFolder::take(root.path()).unwrap();
    folder.clear().unwrap();
    assert_eq!(folder.shop(write_shop).unwrap(), Created::Now);
}

#[test]
fn a_marker_that_names_files_outside_removes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("demo");
    put(root.path(), "letters.txt");
    for entry in [
        "../letters.txt",
        "/etc/hostname",
        "..",
        "../*",
        "a/../../letters.txt",
        "/*",
    ] {
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(MARKER), format!("{HEADER}1\n{SHOP}\n{entry}\n")).unwrap();
        put(&path, SHOP);
        let error = DemoFolder::take(&path).unwrap().clear().unwrap_err();
        assert!(
            matches!(error, FolderError::ForeignEntry { .. }),
            "{entry}: {error}"
        );
        assert_eq!(files(&path), [SHOP], "{entry}");
    }
    assert!(root.path().join("letters.txt").exists());
}

#[cfg(unix)]
#[test]
fn fresh_does_not_follow_links() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("demo");
    drop(make(&path).unwrap());
    put(root.path(), "letters/1");
    put(root.path(), "letters/secret.key");
    fs::create_dir(path.join("mail")).unwrap();
    std::os::unix::fs::symlink(root.path().join("letters"), path.join("mail/new")).unwrap();
    std::os::unix::fs::symlink(root.path().join("letters"), path.join("state")).unwrap();
    DemoFolder::take(&path).unwrap().clear().unwrap();
    assert_eq!(files(&root.path().join("letters")), ["1", "secret.key"]);
}

#[test]
fn a_foreign_or_newer_marker_is_told_apart() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), SHOP);
    fs::write(root.path().join(MARKER), "my diary\n").unwrap();
    let mut folder = DemoFolder::take(root.path()).unwrap();
    assert!(matches!(
        folder.shop(write_shop),
        Err(FolderError::NoMarker(_))
    ));
    assert!(matches!(folder.clear(), Err(FolderError::NoMarker(_))));
    fs::write(root.path().join(MARKER), format!("{HEADER}999\n{SHOP}\n")).unwrap();
    let mut folder = DemoFolder::take(root.path()).unwrap();
    assert!(matches!(
        folder.shop(write_shop),
        Err(FolderError::OtherVersion(_))
    ));
    folder.clear().unwrap();
    assert_eq!(folder.shop(write_shop).unwrap(), Created::Now);
}

#[test]
fn several_demos_may_share_a_folder_but_not_while_it_is_cleared() {
    let root = tempfile::tempdir().unwrap();
    let first = make(root.path()).unwrap();
    let second = make(root.path()).unwrap();
    let mut third = DemoFolder::take(root.path()).unwrap();
    assert!(matches!(third.clear(), Err(FolderError::InUse(_))));
    assert_eq!(files(root.path()), [SHOP]);
    drop((first, second));
    third.clear().unwrap();
    assert_eq!(files(root.path()), [""; 0]);
}
