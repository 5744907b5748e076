/// The version of this package: the only place that says it.
public enum Version {
    /// By semantic versioning (semver.org).
    public static let number = "0.1.0"
}
