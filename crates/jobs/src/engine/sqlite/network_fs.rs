//! Refusing network file systems, where SQLite's locks and shared memory cannot be trusted.
//! Detected from the mount table, so on Linux only; elsewhere nothing is refused.

use std::path::Path;

const NETWORK_KINDS: [&str; 16] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "ocfs2",
    "gfs2",
    "ncpfs",
    "davfs",
    "virtiofs",
    "beegfs",
];

/// The kind of network file system `path` lies on, if it does.
pub(super) fn network_kind(path: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/mounts").ok()?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
    kind_in(&mounts, &folder)
}

/// The deepest mount that holds `folder` decides; of several at one place, the last one.
fn kind_in(mounts: &str, folder: &Path) -> Option<String> {
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let mut fields = line.split(' ');
        let (Some(_), Some(place), Some(kind)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let place = unescape(place);
        let depth = Path::new(&place).components().count();
        if folder.starts_with(&place) && best.is_none_or(|(deepest, _)| depth >= deepest) {
            best = Some((depth, kind));
        }
    }
    let (_, kind) = best?;
    let bare = kind.strip_prefix("fuse.").unwrap_or(kind);
    (NETWORK_KINDS.contains(&bare) || bare == "sshfs").then(|| kind.to_owned())
}

/// The mount table writes spaces and such as octal.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "/dev/sda1 / ext4 rw 0 0\nserver:/home /home nfs4 rw 0 0\n\
        /dev/sdb1 /home/local\\040disk xfs rw 0 0\nme@host: /mnt/ssh fuse.sshfs rw 0 0\n\
        /dev/sdc1 /mnt/twice ext4 rw 0 0\n//nas/x /mnt/twice cifs rw 0 0\n";

    #[test]
    fn the_deepest_mount_decides() {
        for (folder, expected) in [
            ("/var/lib", None),
            ("/home/ann", Some("nfs4")),
            ("/homes", None),
            ("/home/local disk/jobs", None),
            ("/mnt/ssh", Some("fuse.sshfs")),
            ("/mnt/twice/x", Some("cifs")),
        ] {
            assert_eq!(
                kind_in(MOUNTS, Path::new(folder)).as_deref(),
                expected,
                "{folder}"
            );
        }
    }
}
