import EventModel
import HitsDomain
import MillraceBus
import OrdersDomain
import Testing

@testable import MillraceGateway

@Suite("Routes of domains")
struct RouteTableTests {
    private func route(_ method: Route.Method, _ template: String) -> Route {
        Route(method, template, "A test.") { _, _ in RouteReply(204) }
    }

    private func table(_ hits: [Route], _ orders: [Route] = []) throws -> RouteTable {
        try RouteTable([.hits.routing(hits), .orders.routing(orders)])
    }

    private func match(_ method: String, _ path: [String], in table: RouteTable) throws -> RouteMatch? {
        guard case .route(let match) = try Endpoint.find(method, path, table) else { return nil }
        return match
    }

    @Test func `are found by their words, and tell what stands in the place of variables`() throws {
        let table = try table([route(.get, "/l/{code}"), route(.get, "/l/{code}/qr.svg"), route(.post, "/l/{code}")])
        let link = try #require(try match("GET", ["l", "aB3"], in: table))
        #expect(link.template == "/l/{code}" && link.variables == ["code": "aB3"] && !link.isOpen)
        #expect(try match("HEAD", ["l", "aB3"], in: table) == link)
        #expect(try match("GET", ["l", "a/b", "qr.svg"], in: table)?.variables == ["code": "a/b"])
        #expect(Endpoint.methods(at: ["l", "x"], table) == ["GET", "HEAD", "POST", "OPTIONS"])
        #expect(try table.found(#require(try match("POST", ["l", "x"], in: table))).domain.name == "hits")
    }

    @Test func `leave the gateway's own paths as they are`() throws {
        let table = try table([route(.get, "/l/{code}")])
        #expect(try Endpoint.find("GET", ["views", "hits.window"], table) == .view("hits.window"))
        for path in [["l"], ["l", ""], ["l", "a", "b"], ["x", "a"]] {
            #expect { try Endpoint.find("GET", path, table) } throws: { ($0 as? Problem)?.status == .notFound }
        }
        #expect { try Endpoint.find("PUT", ["l", "a"], table) } throws: {
            ($0 as? Problem).map { $0.status == .methodNotAllowed && $0.allow == ["GET", "HEAD", "OPTIONS"] } ?? false
        }
    }

    @Test func `of one domain may overlap, and the one that says more in words is taken`() throws {
        let table = try table([
            route(.get, "/u/{name}"), route(.get, "/u/me"), route(.get, "/{no}".replacing("{no}", with: "u")),
        ])
        #expect(try match("GET", ["u", "me"], in: table)?.template == "/u/me")
        #expect(try match("GET", ["u", "you"], in: table)?.template == "/u/{name}")
        #expect(try match("GET", ["u"], in: table)?.template == "/u")
    }

    @Test func `of two domains may share a word, and a path with another method`() throws {
        let table = try table([route(.get, "/api/{x}"), route(.get, "/api/{x}/a")], [route(.post, "/api/{x}")])
        #expect(try table.found(#require(try match("GET", ["api", "1"], in: table))).domain.name == "hits")
        #expect(try table.found(#require(try match("POST", ["api", "1"], in: table))).domain.name == "orders")
    }

    @Test(arguments: [
        (["/views/mine"], [], "GET /views/mine of hits would hide /views"),
        (["/ui"], [], "GET /ui of hits would hide /ui"),
        (["/a/{x}", "/a/{y}"], [], "GET /a/{y} of hits and GET /a/{x} of hits would answer the same requests"),
        (["/a/{x}"], ["/a/b"], "GET /a/b of orders and GET /a/{x} of hits would answer the same requests"),
    ])
    func `that hide one another or the gateway's own are refused, and named`(
        _ hits: [String], _ orders: [String], _ words: String
    ) {
        #expect {
            try table(hits.map { route(.get, $0) }, orders.map { route(.get, $0) })
        } throws: { error in
            (error as? BusError).map { $0.kind == .configuration && $0.message.hasPrefix(words) } ?? false
        }
    }

    @Test func `of one path name its variables alike`() {
        #expect { try table([route(.get, "/a/{x}"), route(.post, "/a/{y}")]) } throws: {
            ($0 as? BusError)?.message.contains("name them alike") ?? false
        }
    }

    @Test func `begin with none of the words of the gateway's own paths, and those are all`() throws {
        let document = OpenAPI([.hits, .orders]).text
        let words = document.matches(of: #/"\/([a-z.]+)(?:\/[^"]*)?":\{"(?:get|post|delete)"/#).map { String($0.1) }
        #expect(words.count > 15 && Set(words).subtracting(Endpoint.ownWords).isEmpty, "\(Set(words))")
        #expect(Endpoint.ownWords.subtracting(words) == ["ui"])
    }
}
