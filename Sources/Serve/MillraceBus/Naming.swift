/// Which of some things a name that a person typed means.
package enum Naming {
    /// Those that have the name, or else those that have it in another case.
    package static func find<T>(_ name: String, in all: [T], names: (T) -> [String]) -> [T] {
        let same = all.filter { names($0).contains(name) }
        if !same.isEmpty { return same }
        let lowered = name.lowercased()
        return all.filter { names($0).contains { $0.lowercased() == lowered } }
    }
}
