/// A parameter of a query or an option of an importer, as it is declared: for help, for checks and for whoever asks from afar.
public struct Parameter: Hashable, Sendable {
    /// What a value of it is; moments and durations are milliseconds.
    public enum Kind: String, Hashable, Sendable {
        case text, integer, real, timestamp, duration
        /// Said or not: it has no value.
        case flag
    }
    /// In lower camel case: `skipHeader` is `--skip-header` on the command line.
    public let name: String
    /// What its value is.
    public let kind: Kind
    /// Whether a call without it is refused.
    public let required: Bool
    /// What it is, and what stands in for it where it is not given.
    public let about: String
    /// The only values it may have; empty where any of its kind will do.
    public let allowed: [String]

    package init(_ name: String, _ kind: Kind, required: Bool = false, oneOf allowed: [String] = [], _ about: String) {
        self.name = name
        self.kind = kind
        self.required = required
        self.about = about
        self.allowed = allowed
    }

    /// The value that a text stands for, whatever its case, where only some are allowed.
    ///
    /// - Returns: nil where it is none of them.
    public func value(allowedAs text: String) -> String? {
        if allowed.isEmpty || allowed.contains(text) { return text }
        let alike = allowed.filter { $0.lowercased() == text.lowercased() }
        return alike.count == 1 ? alike[0] : nil
    }
}

/// What a parameter can be given as: text, a number, a moment or a length of time.
public protocol ParameterContent: Sendable {
    /// The kind of the parameters that take it.
    static var parameterKind: Parameter.Kind { get }
    /// - Returns: nil where the value is of another kind. A duration comes in milliseconds.
    init?(argument: Value)
}

extension String: ParameterContent {
    public static var parameterKind: Parameter.Kind { .text }
    public init?(argument: Value) { self.init(argument) }
}
extension Int64: ParameterContent {
    public static var parameterKind: Parameter.Kind { .integer }
    public init?(argument: Value) { self.init(argument) }
}
extension Double: ParameterContent {
    public static var parameterKind: Parameter.Kind { .real }
    public init?(argument: Value) { self.init(argument) }
}
extension Timestamp: ParameterContent {
    public static var parameterKind: Parameter.Kind { .timestamp }
    public init?(argument: Value) { self.init(argument) }
}
extension Duration: ParameterContent {
    public static var parameterKind: Parameter.Kind { .duration }
    public init?(argument: Value) {
        guard let milliseconds = argument.integer else { return nil }
        self = .milliseconds(milliseconds)
    }
}

/// A parameter that a query or an importer declares, and by which it finds its argument.
public protocol DeclaredParameter: Sendable {
    /// What help, checks and documents say of it.
    var declaration: Parameter { get }
}

/// A parameter that must be given.
///
/// ```swift
/// let event = RequiredParameter<String>("event", "the event's identifier")
/// let name = try arguments[event]
/// ```
public struct RequiredParameter<Content: ParameterContent>: DeclaredParameter {
    /// What help, checks and documents say of it.
    public let declaration: Parameter
    /// - Parameters:
    ///   - name: In lower camel case.
    ///   - allowed: The only values it may have; any of its type where there are none.
    ///   - about: One line for help.
    public init(_ name: String, oneOf allowed: [String] = [], _ about: String) {
        declaration = Parameter(name, Content.parameterKind, required: true, oneOf: allowed, about)
    }
}

/// A parameter that may be left out.
public struct OptionalParameter<Content: ParameterContent>: DeclaredParameter {
    /// What help, checks and documents say of it.
    public let declaration: Parameter
    /// - Parameters:
    ///   - name: In lower camel case.
    ///   - allowed: The only values it may have; any of its type where there are none.
    ///   - about: One line for help.
    public init(_ name: String, oneOf allowed: [String] = [], _ about: String) {
        declaration = Parameter(name, Content.parameterKind, oneOf: allowed, about)
    }
}

/// A parameter without a value: it is said or not.
public struct FlagParameter: DeclaredParameter {
    /// What help, checks and documents say of it.
    public let declaration: Parameter
    /// Declares a flag, by its name in lower camel case.
    public init(_ name: String, _ about: String) { declaration = Parameter(name, .flag, about) }
}

/// The arguments of one call, checked against what is declared.
public struct Arguments: Sendable {
    private var values: [String: Value]
    /// The asker's clock: the default of a moment.
    public let now: Timestamp
    /// Rows of the page that is asked for.
    public let limit: Int
    /// Where the page begins, from an earlier page's `next`.
    public let cursor: Row?

    /// - Parameters:
    ///   - values: By the parameters' names; durations in milliseconds, a flag that is said as 1.
    ///   - now: The asker's clock.
    ///   - limit: Rows of the page.
    ///   - cursor: Where the page begins; nil is the first.
    public init(_ values: [String: Value], now: Timestamp, limit: Int, cursor: Row?) {
        self.values = values
        self.now = now
        self.limit = limit
        self.cursor = cursor
    }

    /// - Throws: ``Malformed`` where it was not given, which a caller that checked what is declared never meets.
    public subscript<Content>(parameter: RequiredParameter<Content>) -> Content {
        get throws(Malformed) {
            let name = parameter.declaration.name
            guard let value = values[name] else { throw Malformed(name, "is missing") }
            guard let content = Content(argument: value) else {
                throw Malformed(name, "must be \(Content.parameterKind.rawValue)")
            }
            return content
        }
    }

    /// What was given; nil where it was left out.
    public subscript<Content>(parameter: OptionalParameter<Content>) -> Content? {
        values[parameter.declaration.name].flatMap(Content.init(argument:))
    }

    /// Whether a flag was said.
    public subscript(parameter: FlagParameter) -> Bool { values[parameter.declaration.name] == 1 }
}
