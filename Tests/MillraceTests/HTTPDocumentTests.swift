import Foundation
import TestSupport
import Testing

@Suite("The gateway's own descriptions", .timeLimit(.minutes(10)))
struct HTTPDocumentTests {
    @Test func `are the same with a server and without`() async throws {
        try await onBus { bus in
            let web = try await bus.web("serve")
            #expect(try await web.get("/openapi.json").body == (try await bus.plain(["openapi"]).out))
            #expect(try await web.get("/asyncapi.json").body == (try await bus.plain(["asyncapi"]).out))
        }
    }

    @Test func `name every command, event, query and topic, and are sound`() async throws {
        try await onBus { bus in
            let openAPI = try JSON(try await bus.plain(["openapi"]).out)
            let asyncAPI = try JSON(try await bus.plain(["asyncapi"]).out)
            #expect(openAPI["openapi"] == "3.1.0" && asyncAPI["asyncapi"] == "3.0.0")
            let kinds = try await bus.plain(["events", "--json"]).lines.map { try JSON($0) }
            let schemas = openAPI["components"]["schemas"].names
            let paths = openAPI["paths"].names
            for kind in kinds {
                let name = kind["name"].string
                let full = "\(kind["domain"].string).\(name)"
                if kind["kind"] == "command" {
                    #expect(paths.contains("/commands/\(name)") || paths.contains("/commands/\(full)"), "\(full)")
                    #expect(schemas.contains(full))
                }
                #expect(asyncAPI["components"]["messages"].names.contains(full), "\(full)")
            }
            let queries = try await bus.plain(["views", "--json"]).lines.flatMap { try JSON($0)["queries"].array }
            #expect(queries.count > 10 && queries.allSatisfy { paths.contains("/views/\($0.string)") })
            let ids = openAPI["paths"].members.values.flatMap { $0.members.values.map { $0["operationId"].string } }
            #expect(Set(ids).count == ids.count)
            let topics = try await bus.plain(["topics", "list", "--json", "--log", bus.url]).lines.map {
                try JSON($0)["topic"].string
            }
            let channels = asyncAPI["channels"].names
            #expect(topics.filter { !$0.hasPrefix("millrace.") }.allSatisfy { channels.contains($0) })
            try Self.checkReferences(of: openAPI, in: openAPI)
            try Self.checkReferences(of: asyncAPI, in: asyncAPI)
        }
    }

    /// Every `$ref` leads somewhere.
    private static func checkReferences(of value: JSON, in document: JSON) throws {
        for element in value.array { try checkReferences(of: element, in: document) }
        for (name, member) in value.members {
            if name == "$ref" {
                let pieces = member.string.split(separator: "/").dropFirst().map {
                    String($0).replacing("~1", with: "/")
                }
                #expect(pieces.reduce(document) { $0[$1] } != .null, "\(member.string)")
            }
            try checkReferences(of: member, in: document)
        }
    }

    /// A Python that has the reference validator.
    private static let python = python(with: "openapi_spec_validator")
    /// One that makes clients.
    private static let generator = python(with: "openapi_python_client")

    private static func python(with module: String) -> String? {
        [ProcessInfo.processInfo.environment["MILLRACE_TEST_PYTHON"], "/usr/bin/python3"].compactMap { $0 }.first {
            shell("exec '\($0)' -c 'import \(module)' 2>&1").isDone
        }
    }

    @Test(
        .enabled(
            if: python != nil,
            "needs openapi-spec-validator: pip install openapi-spec-validator, and MILLRACE_TEST_PYTHON names its python"
        ))
    func `the first is what the reference validator of OpenAPI takes`() async throws {
        try await onBus { bus in
            let file = try bus.file("openapi.json", try await bus.plain(["openapi"]).out)
            let ended = try await bus.plain(
                ["-m", "openapi_spec_validator", "--schema", "3.1.0", file], program: try #require(Self.python))
            #expect(ended.exit == 0, "\(ended)")
        }
    }

    @Test(
        .enabled(
            if: generator != nil,
            "needs openapi-python-client: pip install openapi-python-client, and MILLRACE_TEST_PYTHON names its python")
    )
    func `a client that is made of the first sends, is refused and asks`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let python = try #require(Self.generator)
            let file = try bus.file("openapi.json", try await bus.plain(["openapi"]).out)
            let made = try await bus.plain(
                ["-m", "openapi_python_client", "generate", "--path", file, "--meta", "none", "--output-path"]
                    + ["\(bus.folder)/client"], program: python)
            #expect(FileManager.default.fileExists(atPath: "\(bus.folder)/client/api/orders"), "\(made)")
            let script = try bus.file(
                "use.py",
                """
                import sys
                sys.path.insert(0, "\(bus.folder)")
                from client import Client
                from client.api.orders import query_orders_status, send_place_order
                from client.models import OrdersPlaceOrder
                bus = Client(base_url="\(web.base)")
                first = send_place_order.sync(client=bus, body=OrdersPlaceOrder(order="o1", customer="ann"))
                other = send_place_order.sync(client=bus, body=OrdersPlaceOrder(order="o1", customer="ben"))
                place = f"{first.events[0].topic}/{first.events[0].partition}@{first.events[0].offset}"
                page = query_orders_status.sync(client=bus, order="o1", after=[place])
                print(first.outcome.value, other.status, other.detail.startswith("order o1 is received already"),
                      page.rows[0].additional_properties["customer"])
                """)
            let used = try await bus.plain([script], program: python)
            #expect(used.out == "accepted 409 True ann\n", "\(used)")
        }
    }
}
