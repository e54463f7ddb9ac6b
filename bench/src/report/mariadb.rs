//! The targets of the rows about `MariaDB`: those of `PostgreSQL`, where they have a meaning there.

use super::target::Bound::{AtLeast, AtMost};
use super::target::Measure::{Figure, One, Rate};
use super::target::{Target, target};

/// Why lists of `MariaDB` are slower than where versions are known.
const UNVERSIONED: &str = "nothing tells of changes there: a list is tagged by a hash of its bytes, so that each answer runs \
     its query, which the constant route does not; only the total is remembered, for a second";

/// One for each of its rows, and three for its export.
pub(super) const MARIADB: [Target; 10] = [
    target(
        "MariaDB: constant route / unchanged list, page 1",
        Rate("mariadb-list", "constant route"),
        Rate("mariadb-list", "Paceline"),
        AtMost(1.5),
    )
    .profiled(UNVERSIONED),
    target(
        "MariaDB: unchanged list, page 1 / Express on mysql2",
        Rate("mariadb-list", "Paceline"),
        Rate("mariadb-list", "Express"),
        AtLeast(200.0),
    )
    .profiled(UNVERSIONED),
    target(
        "MariaDB: constant route / unchanged list, page 2,000",
        Rate("mariadb-page-2000", "constant route"),
        Rate("mariadb-page-2000", "Paceline"),
        AtMost(1.5),
    )
    .profiled(UNVERSIONED),
    target(
        "MariaDB: unchanged list, page 2,000 / Express on mysql2",
        Rate("mariadb-page-2000", "Paceline"),
        Rate("mariadb-page-2000", "Express"),
        AtLeast(200.0),
    )
    .profiled(UNVERSIONED),
    target(
        "MariaDB: list never asked before / by hand",
        Rate("mariadb-list-new", "Paceline, cache off"),
        Rate("mariadb-list-new", "by hand"),
        AtLeast(0.6),
    ),
    target(
        "MariaDB: the same / JSON_ARRAYAGG by hand",
        Rate("mariadb-list-new", "Paceline, cache off"),
        Rate("mariadb-list-new", "JSON_ARRAYAGG by hand"),
        AtLeast(2.0),
    ),
    target(
        "MariaDB: uncached row / by hand",
        Rate("mariadb-object", "Paceline, cache off"),
        Rate("mariadb-object", "by hand"),
        AtLeast(0.9),
    ),
    target(
        "MariaDB: export, time of Express with a stream of mysql2 / ours",
        Figure("mariadb export, in all, Express, s"),
        Figure("mariadb export, in all, Paceline, s"),
        AtLeast(5.0),
    ),
    target(
        "MariaDB: export, time of the driver that drops the rows / ours",
        Figure("mariadb export, in all, rows dropped by mysql_async, s"),
        Figure("mariadb export, in all, Paceline, s"),
        AtLeast(0.5),
    ),
    target(
        "MariaDB: export, peak memory, MiB",
        Figure("mariadb export, peak memory, Paceline, MiB"),
        One,
        AtMost(64.0),
    ),
];
