/// What a deployment may set of a domain, by name: `social.fan-out-limit`.
///
/// Values come in as text from outside (environment variables, see ``variable(_:)``), and each is checked where it is used.
public struct Settings: Sendable {
    private let values: [String: String]

    /// - Parameter environment: Variables by name; those that are no settings are passed over.
    public init(environment: [String: String] = [:]) { values = environment }

    /// The environment variable of a setting: `MILLRACE_SOCIAL_FAN_OUT_LIMIT`.
    public static func variable(_ name: String) -> String {
        "MILLRACE_" + String(name.map { $0 == "." || $0 == "-" ? "_" : $0 }).uppercased()
    }

    /// The text that the environment gives under a name; nil where it gives none, or an empty one.
    public func text(_ name: String) -> String? {
        values[Self.variable(name)].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The number that the environment gives under a name, or `value` where it gives none; one that is out of range is
    /// refused.
    public func integer(_ name: String, default value: Int, in range: ClosedRange<Int>) throws(Malformed) -> Int {
        guard let text = values[Self.variable(name)] else { return value }
        guard let value = Int(text), range.contains(value) else {
            throw Malformed(
                Self.variable(name),
                "is \(text), it must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}
