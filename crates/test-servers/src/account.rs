//! Who runs a server: database servers refuse to run as root.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// The accounts of the Debian packages, and one that every system has.
const NAMES: [&str; 3] = ["postgres", "mysql", "nobody"];

/// An account that servers run under.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// `None` when we are not root: servers then run as we do.
    pub(crate) fn unprivileged() -> Option<Self> {
        let id = Command::new("id").arg("-u").output().expect("id runs");
        if String::from_utf8_lossy(&id.stdout).trim() != "0" {
            return None;
        }
        let accounts = fs::read_to_string("/etc/passwd").expect("/etc/passwd can be read");
        let found = NAMES.iter().find_map(|name| parse(&accounts, name));
        Some(found.expect(
            "an account named postgres, mysql or nobody, since servers refuse to run as root",
        ))
    }

    /// Has the command run under it.
    pub(crate) fn take_over(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// The program, run under it.
    pub(crate) fn command(&self, program: &Path) -> Command {
        if self.reaches(program) {
            let mut command = Command::new(program);
            self.take_over(&mut command);
            return command;
        }
        let mut switch = self.switch(program).into_iter();
        let mut command = Command::new(switch.next().expect("a program"));
        command.args(switch).arg(program);
        command
    }

    /// What has the program, the rest of a command line, run under it. A program that lies where the account may not look,
    /// below the home of root for instance, may look anywhere.
    pub(crate) fn switch(&self, program: &Path) -> Vec<String> {
        let (user, group) = (self.uid, self.gid);
        let mut switch = vec![
            "setpriv".to_owned(),
            format!("--reuid={user}"),
            format!("--regid={group}"),
            "--clear-groups".to_owned(),
        ];
        if !self.reaches(program) {
            switch.push("--inh-caps=+dac_override".to_owned());
            switch.push("--ambient-caps=+dac_override".to_owned());
        }
        switch
    }

    /// Whether the account may run a program.
    fn reaches(&self, program: &Path) -> bool {
        let mut test = Command::new("test");
        test.arg("-x").arg(program).current_dir("/");
        self.take_over(&mut test);
        test.status().is_ok_and(|status| status.success())
    }

    /// Gives it a file or folder.
    pub(crate) fn own(&self, path: &Path) {
        chown(path, Some(self.uid), Some(self.gid)).expect("root may give files away");
    }
}

/// The account of that name in the text of `/etc/passwd`.
fn parse(accounts: &str, name: &str) -> Option<Account> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        Some(Account {
            name: name.to_owned(),
            uid: fields.nth(1)?.parse().ok()?,
            gid: fields.next()?.parse().ok()?,
        })
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_program_runs_wherever_it_lies() {
        let Some(account) = Account::unprivileged() else {
            println!("skipped: servers run as we do, who are not root");
            return;
        };
        let closed = tempfile::tempdir().expect("a folder");
        let alone = fs::Permissions::from_mode(0o700);
        fs::set_permissions(closed.path(), alone).expect("it is ours");
        let program = closed.path().join("program");
        fs::copy("/bin/sh", &program).expect("there is a shell");
        assert!(account.reaches(Path::new("/bin/sh")));
        assert!(
            !account.reaches(&program),
            "the folder is its owner's alone"
        );
        for program in [Path::new("/bin/sh"), &program] {
            let mut command = account.command(program);
            let output = command.args(["-c", "id -u"]).output().expect("it runs");
            let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            let errors = String::from_utf8_lossy(&output.stderr);
            assert_eq!(id, account.uid.to_string(), "{errors}");
        }
    }

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts = "postgres2:x:1:2::/:/bin/sh\npostgres:x:107:116:,,,:/home:/bin/bash\n";
        let found = parse(accounts, "postgres").expect("there");
        assert_eq!((found.uid, found.gid), (107, 116));
        assert!(parse(accounts, "nobody").is_none());
    }
}
