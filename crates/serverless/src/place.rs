//! Where the process runs: a pure function of environment variables.

use std::num::NonZeroUsize;

/// What overrules the detection: `native`, `adapter` or `off`.
pub const VARIABLE: &str = "PACELINE_LAMBDA";
/// Whether answers are streamed: `1` or `true`, and the function URL or the REST API is set up for it.
pub const STREAMING: &str = "PACELINE_LAMBDA_STREAMING";

/// The port of a plain server, and of what the Lambda Web Adapter asks, unless a variable says another.
const PORT: u16 = 8080;

/// The script of the Lambda Web Adapter's layer. Other wrappers (tracing, secrets) start the function themselves.
const ADAPTER: &str = "/opt/bootstrap";

/// Settings of the Lambda Web Adapter; any of them says that it is there.
const ADAPTER_SETTINGS: [&str; 9] = [
    "AWS_LWA_PORT",
    "AWS_LWA_INVOKE_MODE",
    "AWS_LWA_ASYNC_INIT",
    "AWS_LWA_READINESS_CHECK_PATH",
    "AWS_LWA_READINESS_CHECK_PORT",
    "AWS_LWA_READINESS_CHECK_PROTOCOL",
    "AWS_LWA_PASS_THROUGH_PATH",
    "AWS_LWA_REMOVE_BASE_PATH",
    "AWS_LWA_ERROR_STATUS_CODES",
];

/// Where the process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// On a machine of its own or in a container: it listens.
    Server(Server),
    /// Behind the Lambda Web Adapter, which turns events into requests: it listens.
    Adapter(Server),
    /// On AWS Lambda: it asks for events.
    Lambda(Box<Lambda>),
}

/// Where a server is expected to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Server {
    /// The port: `AWS_LWA_PORT` behind the adapter, else `PORT`, else 8080.
    pub port: u16,
}

/// What AWS Lambda says about the function.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lambda {
    /// `host:port` of the Runtime API; a path may follow, as of cargo-lambda's emulator.
    pub runtime_api: String,
    /// The function's name, when it is said.
    pub function: Option<String>,
    /// Invocations at the same time: one, and more on managed instances.
    pub at_once: NonZeroUsize,
    /// Why the environment is made.
    pub initialization: Initialization,
    /// Whether `PACELINE_LAMBDA_STREAMING` asks for streamed answers.
    pub streaming: bool,
    /// The environment's own log stream, which no other environment has.
    pub log_stream: Option<String>,
}

/// Why the environment is made, of `AWS_LAMBDA_INITIALIZATION_TYPE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Initialization {
    /// Somebody waits for it, or what is said is not known here.
    #[default]
    OnDemand,
    /// Before anybody asks.
    ProvisionedConcurrency,
    /// A snapshot is taken after it, and restored any number of times.
    SnapStart,
    /// It answers many at once, on managed instances.
    ManagedInstances,
}

/// A variable says what cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} is {value:?}: {help}")]
pub struct UnknownPlace {
    /// The variable.
    pub variable: &'static str,
    /// What it says.
    pub value: String,
    help: &'static str,
}

impl Place {
    /// What this process's environment says.
    ///
    /// # Errors
    /// [`UnknownPlace`] names the variable that cannot be understood.
    pub fn current() -> Result<Self, UnknownPlace> {
        Self::of(|name| std::env::var(name).ok())
    }

    /// What the variables say. An empty one counts as not set.
    ///
    /// `AWS_LAMBDA_RUNTIME_API` is what every function has. The Lambda Web Adapter leaves it in place, so its own
    /// variables come first. In a container image it needs none of them: set `PACELINE_LAMBDA=adapter` there.
    ///
    /// ```
    /// use paceline_serverless::Place;
    ///
    /// let place = Place::of(|name| (name == "AWS_LAMBDA_RUNTIME_API").then(|| "127.0.0.1:9001".to_owned()));
    /// assert!(matches!(place, Ok(Place::Lambda(lambda)) if lambda.at_once.get() == 1));
    /// ```
    ///
    /// # Errors
    /// [`UnknownPlace`] names the variable that cannot be understood.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, UnknownPlace> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let chosen = variable(VARIABLE);
        let runtime_api = variable("AWS_LAMBDA_RUNTIME_API");
        let has_adapter = variable("AWS_LAMBDA_EXEC_WRAPPER").as_deref() == Some(ADAPTER)
            || ADAPTER_SETTINGS.iter().any(|name| variable(name).is_some());
        match (chosen.as_deref(), runtime_api) {
            (Some("off"), _) | (None, None) => Ok(Self::Server(server(&variable, false)?)),
            (Some("adapter"), _) => Ok(Self::Adapter(server(&variable, true)?)),
            (None, Some(_)) if has_adapter => Ok(Self::Adapter(server(&variable, true)?)),
            (None | Some("native"), Some(api)) => {
                Ok(Self::Lambda(Box::new(lambda(api, &variable)?)))
            }
            (Some("native"), None) => Err(unknown(
                VARIABLE,
                "native",
                "but AWS_LAMBDA_RUNTIME_API is not set, so there is nobody to ask for events",
            )),
            (Some(other), _) => Err(unknown(VARIABLE, other, "write native, adapter or off")),
        }
    }

    /// Whether this is a function that asks for its events itself.
    pub fn is_lambda(&self) -> bool {
        matches!(self, Self::Lambda(_))
    }
}

fn server(
    variable: &impl Fn(&str) -> Option<String>,
    behind_adapter: bool,
) -> Result<Server, UnknownPlace> {
    let names: &[&'static str] = if behind_adapter {
        &["AWS_LWA_PORT", "PORT"]
    } else {
        &["PORT"]
    };
    for name in names {
        if let Some(value) = variable(name) {
            let port = value.trim().parse();
            let port = port.map_err(|_| unknown(name, &value, "write a port, 0 to 65535"))?;
            return Ok(Server { port });
        }
    }
    Ok(Server { port: PORT })
}

fn lambda(
    runtime_api: String,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Lambda, UnknownPlace> {
    let at_once = match variable("AWS_LAMBDA_MAX_CONCURRENCY") {
        None => NonZeroUsize::MIN,
        Some(value) => {
            let number: usize = value.trim().parse().map_err(|_| {
                unknown(
                    "AWS_LAMBDA_MAX_CONCURRENCY",
                    &value,
                    "write a whole number, such as 8",
                )
            })?;
            NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
        }
    };
    let initialization = match variable("AWS_LAMBDA_INITIALIZATION_TYPE").as_deref() {
        Some("snap-start") => Initialization::SnapStart,
        Some("provisioned-concurrency") => Initialization::ProvisionedConcurrency,
        Some("lambda-managed-instances") => Initialization::ManagedInstances,
        _ => Initialization::OnDemand,
    };
    let streaming = match variable(STREAMING).as_deref() {
        None | Some("0" | "false") => false,
        Some("1" | "true") => true,
        Some(other) => return Err(unknown(STREAMING, other, "write true or false")),
    };
    Ok(Lambda {
        runtime_api,
        function: variable("AWS_LAMBDA_FUNCTION_NAME"),
        at_once,
        initialization,
        streaming,
        log_stream: variable("AWS_LAMBDA_LOG_STREAM_NAME"),
    })
}

fn unknown(variable: &'static str, value: &str, help: &'static str) -> UnknownPlace {
    UnknownPlace {
        variable,
        value: value.to_owned(),
        help,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: (&str, &str) = ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001");

    fn at(variables: &[(&str, &str)]) -> Result<Place, UnknownPlace> {
        Place::of(|name| {
            let found = variables.iter().find(|variable| variable.0 == name);
            found.map(|variable| variable.1.to_owned())
        })
    }

    fn lambda_at(variables: &[(&str, &str)]) -> Lambda {
        match at(variables) {
            Ok(Place::Lambda(lambda)) => *lambda,
            other => panic!("{variables:?}: {other:?}"),
        }
    }

    #[test]
    fn each_home_is_told_apart() {
        let server = |port| Ok(Place::Server(Server { port }));
        let adapter = |port| Ok(Place::Adapter(Server { port }));
        let wrapper = ("AWS_LAMBDA_EXEC_WRAPPER", "/opt/bootstrap");
        for (variables, expected) in [
            (&[][..], server(8080)),
            (&[("PORT", "3000")][..], server(3000)),
            (&[("PORT", "")][..], server(8080)),
            (&[API, wrapper][..], adapter(8080)),
            (&[API, wrapper, ("PORT", "7000")][..], adapter(7000)),
            (
                &[API, ("AWS_LWA_PORT", "7001"), ("PORT", "7000")][..],
                adapter(7001),
            ),
            (
                &[API, ("AWS_LWA_INVOKE_MODE", "response_stream")][..],
                adapter(8080),
            ),
            (&[API, (VARIABLE, "adapter")][..], adapter(8080)),
            (&[API, (VARIABLE, "off")][..], server(8080)),
            // A variable that was left over on a server is not Lambda.
            (&[("AWS_LWA_PORT", "7001")][..], server(8080)),
        ] {
            assert_eq!(at(variables), expected, "{variables:?}");
        }
        assert_eq!(lambda_at(&[API]).runtime_api, API.1);
        // Some other extension's wrapper.
        lambda_at(&[API, ("AWS_LAMBDA_EXEC_WRAPPER", "/opt/otel-handler")]);
        lambda_at(&[API, wrapper, (VARIABLE, "native")]);
    }

    #[test]
    fn the_platform_says_how_many_at_once_and_why_the_environment_is_made() {
        let at_once = |value| lambda_at(&[API, ("AWS_LAMBDA_MAX_CONCURRENCY", value)]).at_once;
        for (value, expected) in [("0", 1), ("1", 1), ("4", 4), ("", 1)] {
            assert_eq!(at_once(value).get(), expected, "{value:?}");
        }
        for (value, expected) in [
            ("on-demand", Initialization::OnDemand),
            (
                "provisioned-concurrency",
                Initialization::ProvisionedConcurrency,
            ),
            ("snap-start", Initialization::SnapStart),
            ("lambda-managed-instances", Initialization::ManagedInstances),
            ("something-new", Initialization::OnDemand),
        ] {
            let found = lambda_at(&[API, ("AWS_LAMBDA_INITIALIZATION_TYPE", value)]);
            assert_eq!(found.initialization, expected, "{value:?}");
        }
        assert!(lambda_at(&[API, (STREAMING, "true")]).streaming);
        assert!(!lambda_at(&[API, (STREAMING, "0")]).streaming);
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        for (variables, name) in [
            (
                &[API, ("AWS_LAMBDA_MAX_CONCURRENCY", "many")][..],
                "AWS_LAMBDA_MAX_CONCURRENCY",
            ),
            (&[API, (STREAMING, "maybe")][..], STREAMING),
            (&[API, (VARIABLE, "on")][..], VARIABLE),
            (&[(VARIABLE, "native")][..], VARIABLE),
            (&[("PORT", "http")][..], "PORT"),
        ] {
            let error = at(variables).expect_err("it cannot be understood");
            assert_eq!(error.variable, name);
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
