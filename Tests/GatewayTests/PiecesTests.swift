import EventModel
import MillraceBus
import Testing

@testable import MillraceGateway

@Suite("A request's target")
struct RequestTargetTests {
    @Test func `is its path in pieces and its parameters in order`() throws {
        let target = try RequestTarget("/views/tickets.seats?event=e1&after=a%2F0%401&after=b/1@2&flag&title=a+b")
        #expect(target.path == ["views", "tickets.seats"])
        #expect(target.parameters.map(\.name) == ["event", "after", "after", "flag", "title"])
        #expect(target.parameters.map(\.value) == ["e1", "a/0@1", "b/1@2", "", "a b"])
    }

    @Test func `keeps a plus in a path, and leaves out one slash at the end`() throws {
        #expect(try RequestTarget("/quarantine/a+b%20c/").path == ["quarantine", "a+b c"])
        #expect(try RequestTarget("/").path == [])
        #expect(try RequestTarget("/a//b").path == ["a", "", "b"])
    }

    @Test(arguments: ["/a%", "/a%2", "/a%zz", "/%ff", "/a?b=%c3", "*", "a/b", ""])
    func `that is none is refused`(_ text: String) {
        #expect { try RequestTarget(text) } throws: { ($0 as? Problem)?.status == .badRequest }
    }

    @Test func `over a limit is refused`() {
        let long = "/" + String(repeating: "a", count: GatewayLimits.targetBytes)
        #expect { try RequestTarget(long) } throws: { ($0 as? Problem)?.status == .uriTooLong }
        let many = "/a?" + (0...GatewayLimits.parameters).map { "p\($0)=1" }.joined(separator: "&")
        #expect { try RequestTarget(many) } throws: { ($0 as? Problem)?.status == .badRequest }
    }
}

@Suite("Parameters")
struct ParameterReaderTests {
    private func reader(_ query: String) throws -> ParameterReader {
        ParameterReader(try RequestTarget("/a?\(query)").parameters)
    }

    @Test func `are taken once, in any spelling, and the rest is left`() throws {
        var reader = try reader("as_of=@-1h&limit=5&event=e1&all")
        #expect(try reader.one("as-of") == "@-1h")
        #expect(try reader.number("limit") == 5)
        #expect(try reader.flag("all"))
        #expect(reader.rest().map(\.name) == ["event"])
    }

    @Test(arguments: ["limit=5&limit=6", "limit=five", "limit="])
    func `given twice or of another type are refused, and named`(_ query: String) throws {
        var reader = try reader(query)
        #expect { try reader.number("limit") } throws: { ($0 as? Problem)?.field == "limit" }
    }

    @Test func `that nobody takes are refused, with the one that was meant`() throws {
        var reader = try reader("form=17")
        _ = try reader.one("from")
        #expect { try reader.end("/topics/a") } throws: {
            ($0 as? Problem).map { $0.field == "form" && $0.detail.contains("did you mean from?") } ?? false
        }
    }
}

@Suite("An endpoint")
struct EndpointTests {
    @Test func `is found by its method and path`() throws {
        #expect(try Endpoint.find("POST", ["commands", "HoldSeats"]) == .command("HoldSeats"))
        #expect(try Endpoint.find("HEAD", ["views", "a.b"]) == .view("a.b"))
        #expect(try Endpoint.find("POST", ["quarantine", "redrive"]) == .redrive(worker: nil))
        #expect(try Endpoint.find("POST", ["quarantine", "a.b", "drop"]) == .drop(worker: "a.b"))
        #expect(try Endpoint.find("GET", []) == .start)
    }

    @Test(arguments: [["nothing"], ["commands", "a", "b"], ["quarantine", "a", "b"], ["", ""]])
    func `that is not there is not found`(_ path: [String]) {
        #expect { try Endpoint.find("GET", path) } throws: { ($0 as? Problem)?.status == .notFound }
        #expect(Endpoint.methods(at: path) == [])
    }

    @Test func `has other methods than the one asked for, and says which`() {
        #expect { try Endpoint.find("GET", ["commands"]) } throws: {
            ($0 as? Problem).map { $0.status == .methodNotAllowed && $0.allow == ["POST", "OPTIONS"] } ?? false
        }
        #expect { try Endpoint.find("DELETE", ["views", "a"]) } throws: {
            ($0 as? Problem)?.allow == ["GET", "HEAD", "OPTIONS"]
        }
    }
}

@Suite("What a client accepts")
struct MediaTypeTests {
    @Test(arguments: [
        (nil, MediaType.json), ("", .json), ("*/*", .json), ("text/csv", .csv), ("text/*", .csv),
        ("application/json;q=0.5, text/csv", .csv), ("application/*;q=0.2,text/csv;q=0.1", .json),
        ("text/html,application/xhtml+xml,*/*;q=0.8", .json), ("application/x-ndjson", .lines),
        ("application/json;q=0,*/*", .lines), ("TEXT/CSV", .csv),
    ])
    func `is chosen by quality, then by what is offered first`(_ accept: String?, _ chosen: MediaType) throws {
        #expect(try MediaType.chosen(of: [.json, .lines, .csv], accept: accept) == chosen)
    }

    @Test(arguments: ["image/png", "application/json;q=0", "nonsense", "text/csv;q=x"])
    func `may be none of what is offered`(_ accept: String) {
        #expect { try MediaType.chosen(of: [.json, .csv], accept: accept) } throws: {
            ($0 as? Problem)?.status == .notAcceptable
        }
    }

    @Test func `is one thing, and what it sends another`() throws {
        try MediaType.check("application/json; charset=UTF-8", isOneOf: [.json])
        for other in [nil, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"] {
            #expect { try MediaType.check(other, isOneOf: [.json]) } throws: {
                ($0 as? Problem)?.status == .unsupportedMediaType
            }
        }
    }
}

@Suite("An address")
struct GatewayAddressTests {
    @Test(arguments: ["127.0.0.1:8080", "localhost:0", "[::1]:80", "127.1.2.3:1"])
    func `of this machine is reached by nobody else`(_ text: String) throws {
        let address = try GatewayAddress(text)
        #expect(address.isLoopback && address.description == text)
        try Gateway.check(address, asksForTokens: false, isInsecure: false)
    }

    @Test(arguments: [
        "0.0.0.0:8080", "[::]:8080", "10.0.0.1:80", "example.com:80", "127.0.0.1.example.com:80", "128.0.0.1:1",
    ])
    func `that others reach needs a word`(_ text: String) throws {
        let address = try GatewayAddress(text)
        #expect(!address.isLoopback)
        #expect(throws: BusError.self) { try Gateway.check(address, asksForTokens: false, isInsecure: false) }
        try Gateway.check(address, asksForTokens: false, isInsecure: true)
        try Gateway.check(address, asksForTokens: true, isInsecure: false)
    }

    @Test(arguments: [
        "", "8080", ":8080", "localhost", "localhost:", "localhost:65536", "::1:80", "a b:80", "http://a:80",
    ])
    func `that is none is refused`(_ text: String) {
        #expect(throws: BusError.self) { try GatewayAddress(text) }
    }
}

@Suite("Access")
struct AccessTests {
    @Test func `in a domain is not access in another, nor to what is of none`() {
        let access = Access(subject: "ann", grants: [.init(.send, in: "tickets"), .init(.query)])
        #expect(access.allows(.send, in: "tickets"))
        #expect(!access.allows(.send, in: "social") && !access.allows(.send, in: nil))
        #expect(access.allows(.query, in: "social") && access.allows(.query, in: nil))
        #expect(Scope.allCases.allSatisfy { Access.everything.allows($0, in: nil) })
    }
}

@Suite("A token bucket")
struct TokenBucketTests {
    @Test func `gives so many at once, and then so many a second`() {
        let start = ContinuousClock.now
        var bucket = TokenBucket(rate: 2, size: 3, at: start)
        for _ in 0..<3 { #expect(bucket.take(at: start) == nil) }
        #expect(bucket.take(at: start) == .seconds(0.5))
        #expect(bucket.take(at: start + .seconds(0.5)) == nil)
        #expect(bucket.take(at: start + .seconds(0.5)) != nil)
        #expect(!bucket.isFull(at: start + .seconds(1)) && bucket.isFull(at: start + .seconds(10)))
        for _ in 0..<3 { #expect(bucket.take(at: start + .seconds(10)) == nil) }
        #expect(bucket.take(at: start + .seconds(10)) != nil)
    }

    @Test func `of one address is not another's, and not all are remembered`() {
        let rates = Rates(rate: 0.5)
        let start = ContinuousClock.now
        #expect(rates.take("a", at: start) == nil && rates.take("a", at: start) == .seconds(2))
        #expect(rates.take("b", at: start) == nil)
        for i in 0..<GatewayLimits.addresses { _ = rates.take("c\(i)", at: start) }
        #expect(rates.take("d", at: start + .seconds(60)) == nil)
    }

    @Test func `slots are free again when they are let go`() throws {
        let slots = Slots(1)
        var slot = slots.take()
        #expect(slot != nil && slots.take() == nil && slots.count == 1)
        slot = nil
        #expect(slots.count == 0 && slots.take() != nil)
    }
}

@Suite("An event's id")
struct EventIDTests {
    @Test func `is the next offset of each partition, and is read again`() throws {
        let places: [TopicPartition: Offset] = [
            TopicPartition("a.events", 0): 18, TopicPartition("a.events", 10): 0, TopicPartition("a.events", 2): 5,
        ]
        let text = EventID.text(places)
        #expect(text == "0@18,2@5,10@0")
        #expect(try EventID.places(text, of: "a.events") == places)
    }

    @Test(arguments: ["", "0", "0@", "@1", "0@1,", "-1@0", "0@-1", "0@1@2", "a@b", "0@99999999999999999999", "0@0,0@1"])
    func `that no event had is refused`(_ text: String) {
        #expect { try EventID.places(text, of: "a") } throws: { ($0 as? Problem)?.field == "Last-Event-ID" }
    }
}

@Suite("A problem")
struct ProblemTests {
    @Test func `says what the command line says, and names the field`() throws {
        let problem = Problem(Malformed("seats", "is missing"), declared: [])
        #expect(problem.status == .badRequest && problem.field == "seats" && problem.detail == "seats: is missing")
        #expect(
            problem.json
                == #"{"type":"about:blank","title":"Bad Request","status":400,"detail":"seats: is missing","field":"seats"}"#
        )
    }

    @Test func `of a name is another in a path than in a parameter`() {
        let error = UnknownName("query", "a.b", among: ["a.c"])
        #expect(Problem(error, declared: [], inPath: true).status == .notFound)
        #expect(Problem(error, declared: []).status == .badRequest)
        #expect(Problem(error, declared: []).detail == error.message(shownBy: "millrace views"))
    }

    @Test func `that nobody thought of says nothing of what happened`() {
        struct Secret: Error { let password = "sesame" }
        let problem = Problem(Secret(), declared: [])
        #expect(problem.status == .internalError && !problem.json.contains("sesame"))
    }
}
