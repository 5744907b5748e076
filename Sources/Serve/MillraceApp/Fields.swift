internal import EventModel
internal import Foundation
internal import MillraceBus

/// Reads `--name value` words that the parser left over.
struct LooseOptions {
    /// In the order given; a name may come several times.
    var pairs: [(name: String, value: String)] = []
    var words: [String] = []

    /// - Parameter flags: the names that have no value.
    init(_ arguments: [String], flags: Set<String> = []) throws {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("--"), word.count > 2 else {
                words.append(word)
                continue
            }
            let body = word.dropFirst(2)
            if let equals = body.firstIndex(of: "=") {
                pairs.append((String(body[..<equals]), String(body[body.index(after: equals)...])))
            } else if flags.contains(where: { Spelling.same($0, String(body)) }) {
                pairs.append((String(body), "true"))
            } else if let value = rest.popFirst(), !value.hasPrefix("--") {
                pairs.append((String(body), value))
            } else {
                throw Failure(.usage, "\(word) needs a value; write one that begins with -- as \(word)=--VALUE")
            }
        }
    }
}

extension LooseOptions {
    /// The values of declared parameters, each of its type: see ``ParameterValues``.
    ///
    /// - Parameters:
    ///   - owner: Whose parameters they are, as messages name it.
    ///   - others: What options there are besides.
    func values(of parameters: [Parameter], for owner: String, and others: [String]) throws -> [String: Value] {
        try ParameterValues.options.values(pairs, of: parameters, for: owner, and: others)
    }
}

extension Schema.Kind {
    /// The JSON object that `--field value` words describe: text for text fields, JSON for all others; a repeated field takes
    /// several, or one value with commas.
    func json(_ options: LooseOptions) throws -> String {
        JSON.object(try members(options).map { ($0.name, $0.value) })
    }

    /// The same as its members.
    func members(_ options: LooseOptions) throws -> Members {
        var members: [(String, [String])] = []
        for (name, value) in options.pairs {
            guard let field = fields.first(where: { $0.answers(to: name) }) else {
                let known = fields.map { "--\(GeneratedHelp.option($0.name))" }
                let why = Nearest.notA("field", of: self.name, "--\(name)", among: known, and: Send.optionNames)
                throw Failure(.usage, "--\(name) \(why)")
            }
            let values: [String]
            if field.repeated, field.textual {
                values = value.split(separator: ",").map { JSON.string($0.trimmingCharacters(in: .whitespaces)) }
            } else if field.textual {
                values = [JSON.string(value)]
            } else if field.repeated, value.hasPrefix("["), value.hasSuffix("]") {
                values = [String(value.dropFirst().dropLast())]
            } else {
                values = [value]
            }
            if !field.textual { try Self.check(values[0], isOf: field) }
            if let i = members.firstIndex(where: { $0.0 == field.name }) {
                if !field.repeated { throw Failure(.usage, "--\(name) is given twice") }
                members[i].1 += values
            } else {
                members.append((field.name, values))
            }
        }
        return members.map { name, values in
            let repeated = fields.first { $0.name == name }?.repeated ?? false
            return (name, repeated ? JSON.array(values) : values[0])
        }
    }

    /// A value of an option is JSON by itself: it ends no member, so that none follows which nobody gave.
    private static func check(_ text: String, isOf field: Schema.Field) throws {
        let json = Data((field.repeated ? JSON.array([text]) : text).utf8)
        if (try? JSONSerialization.jsonObject(with: json, options: .fragmentsAllowed)) == nil {
            throw Malformed(field.name, "must be \(field.repeated ? "a list of " : "")\(field.type)")
        }
    }
}
