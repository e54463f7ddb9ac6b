//! What it takes to put a service on AWS Lambda, as functions of values: nothing here reads a file, a clock or the
//! network.
//!
//! - [`deployment`]: the value that says what is deployed, and how;
//! - [`rules`]: what AWS would reject, or take and then do nothing with;
//! - [`template`]: the same value as the text of a commented SAM template;
//! - [`package`]: the archive that is uploaded, the same bytes each time, of a binary that can run there;
//! - [`budget`]: memory, timeout and provisioned concurrency from what a server measured.
//!
//! # When not to use it
//! It talks to no AWS service and deploys nothing: `sam deploy`, or whatever reads its templates, does.
//!
//! ```
//! use paceline_deploy::deployment::{Database, DatabaseKind, Deployment};
//! use paceline_deploy::{rules, template};
//!
//! let deployment = Deployment::new("shop", Database::new(DatabaseKind::Postgres));
//! assert_eq!(rules::refusals(&deployment), []);
//! assert!(template::write(&deployment).contains("Runtime: provided.al2023"));
//! ```

pub mod budget;
pub mod deployment;
pub mod package;
pub mod rules;
pub mod template;
mod yaml;
