internal import ArgumentParser
internal import Hummingbird

/// A bare server of the library that the gateway is built on: it answers each request with the same text.
struct Hello: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hello", abstract: "Serve one text over HTTP, for the rows of HTTP.", shouldDisplay: false)
    @Argument var port: Int
    /// As many as the answer of a query that it is held against has.
    @Argument var bytes: Int
    /// Where it sends whoever follows a link.
    @Option var location = ""

    func run() async throws {
        let text = String(repeating: "a", count: bytes)
        let router = Router()
        router.get("hello") { _, _ in text }
        let location = location
        router.get("l/:code") { _, _ in Response(status: .found, headers: [.location: location]) }
        try await Hummingbird.Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port))
        ).runService()
    }
}
