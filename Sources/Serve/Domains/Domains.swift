public import EventModel

/// All domains of this package: those whose folders stand in Sources/Domains. The list itself is made when the package is
/// built. A domain's module has one function for it:
///
///     public func domain(_ settings: Settings) throws(Malformed) -> Domain
public enum Domains {
    /// As they are where nothing is set.
    public static let all: [Domain] = {
        do throws(Malformed) {
            return try all(Settings())
        } catch {
            preconditionFailure("a domain refuses its own defaults: \(error.message)")
        }
    }()
}
