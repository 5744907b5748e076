package import EventModel

/// Reads the values of declared parameters from text, as a command line has them or a URL.
package struct ParameterValues: Sendable {
    /// As options: `--expires-at`.
    package static let options = ParameterValues {
        "--\(Spelling.option($0))"
    } given: {
        "--\($0)"
    }
    /// By their own names, as a URL has them.
    package static let names = ParameterValues {
        $0
    } given: {
        $0
    }

    /// A parameter's name as messages say it.
    private let said: @Sendable (String) -> String
    /// A name as it was given, as messages say it.
    private let given: @Sendable (String) -> String

    /// A name as messages say it.
    package func name(_ name: String) -> String { said(name) }

    /// The values, each of its type.
    ///
    /// - Parameters:
    ///   - owner: Whose parameters they are, as messages name it.
    ///   - others: What names there are besides.
    /// - Throws: ``BusError``.
    package func values(
        _ pairs: [(name: String, value: String)], of parameters: [Parameter], for owner: String, and others: [String]
    ) throws -> [String: Value] {
        var values: [String: Value] = [:]
        for (name, text) in pairs {
            guard let parameter = parameters.first(where: { Spelling.same($0.name, name) }) else {
                let known = parameters.map { said($0.name) }
                let why = Nearest.notA("parameter", of: owner, given(name), among: known, and: others)
                throw BusError(.usage, "\(given(name)) \(why)")
            }
            if values[parameter.name] != nil { throw wrong(parameter, "\(given(name)) is given twice") }
            // One that is needed and has nothing in it would find nothing, in silence.
            if text.isEmpty, parameter.required { continue }
            values[parameter.name] = try value(text, parameter)
        }
        if let missing = parameters.first(where: { $0.required && values[$0.name] == nil }) {
            throw wrong(missing, "\(owner) needs \(said(missing.name)): \(missing.about)")
        }
        return values
    }

    private func value(_ text: String, _ parameter: Parameter) throws -> Value {
        guard let text = parameter.value(allowedAs: text) else {
            throw wrong(parameter, "\(said(parameter.name)): \(Nearest.notOne(text, of: parameter.allowed))")
        }
        switch parameter.kind {
        case .text: return .text(text)
        case .integer: if let value = Int64(text) { return .integer(value) }
        case .real: if let value = DecimalText.double(text) { return .real(value) }
        case .duration: if let value = Duration(short: text) { return .integer(value.milliseconds) }
        case .timestamp: if let value = Moment.parse(text, now: now()) { return Value(value) }
        case .flag: if ["true", "false"].contains(text) { return .integer(text == "true" ? 1 : 0) }
        }
        throw wrong(
            parameter,
            "\(said(parameter.name)) \(text) is no \(parameter.kind.rawValue), such as \(parameter.kind.example)")
    }

    private func wrong(_ parameter: Parameter, _ message: String) -> BusError {
        BusError(.usage, message, field: parameter.name)
    }
}

extension Parameter.Kind {
    /// A value of the kind, as people write it.
    package var example: String {
        switch self {
        case .text: "a"
        case .integer: "17"
        case .real: "52.52"
        case .duration: "60s, 5m or 1h"
        case .timestamp: "2026-11-01T20:00:00Z, -1h or now"
        case .flag: "true"
        }
    }
}
