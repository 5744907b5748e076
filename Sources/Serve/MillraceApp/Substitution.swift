internal import EventModel
internal import Foundation

/// What stands for a variable of the environment in the values of a file, as in a shell: `${NAME}`, and `${NAME:-DEFAULT}`
/// for one that is unset or empty.
struct Substitution {
    let environment: [String: String]

    /// Whether a value has one.
    static func isIn(_ text: String) -> Bool { text.contains("${") }

    /// The value with what its variables say.
    ///
    /// - Throws: ``Malformed`` where a variable is not set and has no default, or where it is written otherwise.
    func text(_ value: String, _ field: String) throws(Malformed) -> String {
        var result = ""
        var rest = value[...]
        while let start = rest.range(of: "${") {
            result += rest[..<start.lowerBound]
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                throw Malformed(field, "\(value) has a ${ without its }")
            }
            result += try variable(rest[start.upperBound..<end], field)
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private func variable(_ inner: Substring, _ field: String) throws(Malformed) -> String {
        let mark = inner.range(of: ":-")
        let name = mark.map { inner[..<$0.lowerBound] } ?? inner
        let isName =
            !name.isEmpty && !(name.first?.isNumber ?? false)
            && name.utf8.allSatisfy { $0 == 0x5f || (0x30...0x39).contains($0) || (0x61...0x7a).contains($0 | 0x20) }
        if !isName { throw Malformed(field, "${\(inner)} is neither ${NAME} nor ${NAME:-DEFAULT}") }
        let set = environment[String(name)]
        if let mark { return set.flatMap { $0.isEmpty ? nil : $0 } ?? String(inner[mark.upperBound...]) }
        guard let set else {
            throw Malformed(
                field,
                "the environment variable \(name) is not set, and ${\(name)} has no default such as ${\(name):-1}")
        }
        return set
    }
}
