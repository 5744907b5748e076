import HTTPTypes
import Testing

@testable import MillraceGateway

@Suite("What a request says of who asks")
struct CredentialsTests {
    private func fields(_ pairs: (HTTPField.Name, String)...) -> HTTPFields {
        var fields = HTTPFields()
        for (name, value) in pairs { fields.append(HTTPField(name: name, value: value)) }
        return fields
    }

    @Test func `is a bearer token, or a cookie, of which the first goes before`() throws {
        for said in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c"] {
            let found = try Credentials(fields((.authorization, said), (.cookie, "millrace-token=x")))
            #expect(found.token == "a.b.c" && !found.isCookie)
        }
        let cookie = try Credentials(
            fields((.cookie, "a=b; millrace-token=a.b.c;c=d"), (.cookie, "millrace-token=a.b.c")))
        #expect(cookie.token == "a.b.c" && cookie.isCookie)
    }

    @Test func `is nothing where there is no token`() throws {
        for other in [
            fields(), fields((.authorization, "Basic YTpi")), fields((.authorization, "")),
            fields((.cookie, "millrace-token=; xmillrace-token=a; millrace-token2=b")),
        ] {
            let found = try Credentials(other)
            #expect(found.token == nil && !found.isCookie)
        }
    }

    @Test func `is refused where it can be read in several ways`() {
        for wrong in [
            fields((.authorization, "Bearer a"), (.authorization, "Bearer a")), fields((.authorization, "Bearer")),
            fields((.authorization, "Bearer a, Bearer b")), fields((.cookie, "millrace-token=a; millrace-token=b")),
            fields((.cookie, "millrace-token=a"), (.cookie, "millrace-token=b")),
        ] {
            #expect { try Credentials(wrong) } throws: {
                ($0 as? Problem).map { $0.status == .badRequest && $0.challenge?.contains("invalid_request") ?? false }
                    ?? false
            }
        }
    }

    @Test func `is kept by browsers for this site's own pages`() {
        #expect(
            Credentials.setting("a.b.c", for: 60, isSecure: true)
                == "millrace-token=a.b.c; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure")
        #expect(!Credentials.setting("", for: 0, isSecure: false).contains("Secure"))
    }
}

@Suite("A scope")
struct ScopeTests {
    @Test func `is read as it is written`() {
        for scope in Scope.allCases {
            for domain in [nil, "tickets"] {
                let grant = Access.Grant(scope, in: domain)
                #expect(Access.Grant(grant.text) == grant)
            }
        }
        #expect(Access.Grant("*:send") == Access.Grant(.send))
        for none in [
            "", "send", ":send", "tickets:", "tickets:*", "*", "tickets:send:x", "tickets:SEND", "tickets: send",
        ] {
            #expect(Access.Grant(none) == nil, "\(none)")
        }
    }

    @Test func `that lacks is told as RFC 6750 has it`() {
        let problem = Problem(lacking: .init(.send, in: "tickets"), of: "ann")
        #expect(problem.status == .forbidden && problem.detail.contains("ann may not send in tickets"))
        #expect(
            problem.challenge == #"Bearer realm="millrace", error="insufficient_scope", scope="tickets:send""#)
        #expect(Problem.unnamed.challenge == #"Bearer realm="millrace""#)
        let refused = Problem(refused: "a \"b\" \\ \n ü")
        #expect(refused.challenge == #"Bearer realm="millrace", error="invalid_token", error_description="a b   ""#)
    }
}

@Suite("Slots of each")
struct SlotsOfEachTests {
    @Test func `are taken by one without taking another's, and are free again`() {
        let slots = SlotsOfEach(1)
        var mine = slots.take("a")
        #expect(mine != nil && slots.take("a") == nil && slots.take("b") != nil)
        mine = nil
        #expect(slots.take("a") != nil && slots.count == 0)
    }
}
