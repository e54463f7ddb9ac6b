//! The recorded run of docs/budget.md: its figures are worked out there by hand, and must come out here.

use std::time::Duration;

use paceline_deploy::budget::{
    Advice, Assumptions, Bound, Histogram, NoAdvice, Prices, Recording, advise, plot, report,
};
use paceline_deploy::deployment::{Architecture, Entry};

fn recorded() -> Recording {
    let after = Recording::read(include_str!("../recorded/after.txt")).unwrap();
    let before = Recording::read(include_str!("../recorded/before.txt")).unwrap();
    after.since(&before).unwrap()
}

fn advice(assumptions: &Assumptions) -> Advice {
    let recording = recorded();
    let computed = recording
        .cpu
        .map(|seconds| (seconds, recording.all_requests()));
    let requests = recording.requests().unwrap();
    advise(&requests, computed, recording.memory, assumptions).unwrap()
}

fn assume(change: impl FnOnce(&mut Assumptions)) -> Assumptions {
    let mut assumptions = Assumptions::default();
    change(&mut assumptions);
    assumptions
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 0.000_5,
        "{found}, not {expected}"
    );
}

#[test]
fn the_figures_of_the_documentation_come_out() {
    let advice = advice(&assume(|a| a.rate = Some(40.0)));
    near(advice.requests, 1200.0);
    for (found, expected) in advice
        .wall_ms
        .into_iter()
        .zip([1.805, 0.242, 8.832, 32.857])
    {
        near(found, expected);
    }
    near(advice.cpu_ms, 1.456);
    near(advice.memory_mb.unwrap(), 58.727);
    let expected = [
        (128, 20.472, 3.348, 27.499, 51.524, 0.2350),
        (256, 10.411, 1.674, 17.438, 41.463, 0.2367),
        (512, 5.380, 0.837, 12.407, 36.432, 0.2400),
        (1024, 2.864, 0.419, 9.891, 33.916, 0.2400),
        (1769, 1.805, 0.242, 8.832, 32.857, 0.2461),
    ];
    for (class, (memory, mean, p50, p95, p99, usd)) in advice.classes.iter().zip(expected) {
        assert_eq!(class.memory, memory);
        near(class.mean_ms, mean);
        near(class.p50_ms, p50);
        near(class.p95_ms, p95);
        near(class.p99_ms, p99);
        assert!(
            (class.million_usd - usd).abs() < 0.000_05,
            "{}",
            class.million_usd
        );
    }
    near(advice.target_p95_ms, 17.664);
    assert_eq!((advice.memory, advice.target_met), (256, true));
    assert_eq!(
        (advice.timeout.seconds, advice.timeout.decided_by),
        (10, Bound::Least)
    );
    let provision = advice.provisioned.as_ref().unwrap();
    assert_eq!(provision.environments, 1);
    near(provision.busy, 0.416);
    assert!(
        (provision.month_usd - 2.19).abs() < 0.005,
        "{}",
        provision.month_usd
    );
}

#[test]
fn the_documentation_has_the_report_as_it_is_written() {
    let text = report(&advice(&assume(|a| a.rate = Some(40.0))));
    let documented = include_str!("../../../../docs/budget.md");
    assert!(
        documented.contains(text.trim_end()),
        "docs/budget.md does not have:\n{text}"
    );
}

#[test]
fn assumptions_change_what_they_are_about() {
    let usual = advice(&Assumptions::default());
    let slower = advice(&assume(|a| a.factor = 2.0));
    near(
        slower.classes[4].mean_ms - usual.classes[4].mean_ms,
        usual.cpu_ms,
    );
    let strict = advice(&assume(|a| a.target = Some(Duration::from_millis(10))));
    assert_eq!((strict.memory, strict.target_met), (1024, true));
    let never = advice(&assume(|a| a.target = Some(Duration::from_millis(1))));
    assert_eq!((never.memory, never.target_met), (1769, false));
    let dear = advice(&assume(|a| {
        a.prices = Prices {
            million_requests: 1.0,
            ..Prices::of(Architecture::Arm64)
        };
    }));
    near(
        dear.classes[0].million_usd - usual.classes[0].million_usd,
        0.8,
    );
    assert!(
        dear.assumed
            .iter()
            .any(|line| line.contains("the command line"))
    );
}

#[test]
fn a_timeout_is_twice_the_p95_within_its_bounds() {
    let slow = |seconds: u64| Histogram::of_times(&vec![Duration::from_secs(seconds); 100]);
    for (seconds, entry, expected, decided_by) in [
        (1, Entry::Rest, 10, Bound::Least),
        (6, Entry::Rest, 12, Bound::TwiceP95),
        (14, Entry::Rest, 28, Bound::Most),
        (20, Entry::Rest, 28, Bound::Most),
        (20, Entry::Http, 29, Bound::Most),
        (20, Entry::Url, 40, Bound::TwiceP95),
        (500, Entry::Direct, 899, Bound::Most),
    ] {
        // Nothing is computed: memory does not matter.
        let found = advise(
            &slow(seconds),
            Some((0.0, 100.0)),
            None,
            &assume(|a| a.entry = entry),
        )
        .unwrap();
        assert_eq!(
            (found.timeout.seconds, found.timeout.decided_by),
            (expected, decided_by),
            "{seconds} {entry:?}"
        );
        assert_eq!(found.memory, 128);
    }
}

#[test]
fn what_does_not_fit_is_not_recommended() {
    let quick = Histogram::of_times(&[Duration::from_millis(10); 20]);
    for (megabytes, memory) in [(85.0, 128), (86.0, 256), (700.0, 1769)] {
        let bytes = Some(megabytes * f64::from(1 << 20));
        let found = advise(&quick, Some((0.0, 20.0)), bytes, &Assumptions::default()).unwrap();
        assert_eq!(found.memory, memory, "{megabytes}");
    }
}

#[test]
fn environments_are_counted_by_littles_law() {
    let times = Histogram::of_times(&[Duration::from_millis(100); 20]);
    for (rate, expected) in [(0.5, 1), (10.0, 1), (40.0, 4), (41.0, 5)] {
        let assumptions = assume(|a| a.rate = Some(rate));
        let found = advise(&times, Some((0.0, 20.0)), None, &assumptions).unwrap();
        assert_eq!(found.provisioned.unwrap().environments, expected, "{rate}");
    }
}

#[test]
fn without_requests_or_a_p95_there_is_no_advice() {
    let usual = Assumptions::default();
    let none = advise(&Histogram::default(), None, None, &usual);
    assert_eq!(none, Err(NoAdvice::NoRequests));
    let beyond = Histogram::new(vec![(1.0, 5.0), (f64::INFINITY, 10.0)], 100.0).unwrap();
    assert_eq!(advise(&beyond, None, None, &usual), Err(NoAdvice::TooSlow));
}

#[test]
fn what_was_not_measured_is_said() {
    let times = Histogram::of_times(&[Duration::from_millis(10); 20]);
    let found = advise(&times, None, None, &Assumptions::default()).unwrap();
    near(found.cpu_ms, 10.0);
    let said = report(&found);
    for part in [
        "not measured: all of it",
        "memory not measured",
        "--rate",
        "--target",
        "--vcpu-factor",
    ] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
}

#[test]
fn the_picture_names_every_class_and_what_is_recommended() {
    let svg = plot(&advice(&Assumptions::default()));
    for part in [
        "128 MB",
        "256 MB",
        "512 MB",
        "1024 MB",
        "1769 MB",
        "Recommended: 256 MB, timeout 10 s",
        "</svg>",
    ] {
        assert!(svg.contains(part), "no {part:?}");
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}
