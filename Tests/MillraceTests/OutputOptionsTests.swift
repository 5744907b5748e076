import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import MillraceApp
@testable import MillraceBus

@Suite("The shape of what is printed", .serialized, .timeLimit(.minutes(10)))
struct ShapeTests {
    /// Command lines that print rows, and the header of their tables and of their CSV.
    private static let rows = [
        ("work --list", "WORKER", "worker,kind,domain,reads"),
        ("topics list", "TOPIC", "topic,partitions,replication,retention,cleanup,clock,key,schema,owner"),
        ("topics describe hits.events", "PARTITION", "partition,start,end"),
        ("topics check", "topics agree", "difference"),
        ("topics apply", "DONE", "topic,done"),
        ("topics recount hits.events", "hits.events: 8 partitions", "topic,partitions,records"),
        ("replay hits.events", "PLACE", "topic,partition,offset,timestamp,key,type,event"),
        ("query hits.window --site home", "SITE", "site,at,window,hits,late,average"),
        ("lag --sum", "WORKER", "worker,partition,next,end,lag,missing,ahead,gone"),
        ("verify --topic hits.events", "TOPIC", "check,what,count,first,next,gaps,hash,problem"),
        ("quarantine list", "WORKER", "worker,key,first,time,waiting,attempts,reason"),
        ("quarantine show hits.windows", "PLACE", "worker,place,time,key,attempts,reason,type,event,base64"),
        ("quarantine redrive hits.windows", "WORKER", "worker,key,handled,dropped,waiting,reason"),
        ("snapshot --list", "PROJECTION", "projection,time,events,bytes,asOf"),
    ]

    @Test func `is a table on a terminal and JSON elsewhere, of every command that prints rows`() async throws {
        try await onBus { bus in
            try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v"}"#)
            for (line, title, header) in Self.rows {
                let words = line.split(separator: " ").map(String.init)
                let shown = try await bus.inTerminal(200, words)
                #expect(shown.exit == 0 && shown.out.contains(title), "\(line): \(shown)")
                let table = try await bus.start(words + ["--table"]).end()
                #expect(table.out.contains(title), "\(line): \(table)")
                for json in [try await bus.start(words).end(), try await bus.inTerminal(200, words + ["--json"])] {
                    #expect(try json.lines.allSatisfy { try !JSON($0).names.isEmpty }, "\(line): \(json)")
                }
                let csv = try await bus.start(words + ["--csv"]).end()
                #expect(csv.lines.first == header, "\(line): \(csv)")
                let both = try await bus.start(words + ["--csv", "--json"]).end()
                #expect(both.exit == 64 && both.err.contains("--json and --csv exclude each other"), "\(both)")
            }
        }
    }

    @Test func `of produce, send and import is chosen too`() async throws {
        try await onBus { bus in
            let line = #"{"site":"home","visitor":"v"}"#
            #expect(try JSON(try await bus.run("produce", "Hit", stdin: line).out)["produced"] == 1)
            let csv = try await bus.run("produce", "Hit", "--csv", stdin: line)
            #expect(
                csv.lines.first == "produced,refused,bad,last" && csv.lines.last?.hasPrefix("1,0,0,") == true, "\(csv)")
            let table = try await bus.run("produce", "Hit", "--table", stdin: line)
            #expect(table.lines.first == "PRODUCED  REFUSED  BAD  LAST", "\(table)")
            let told = try await bus.run("produce", "Hit", "--progress", stdin: line)
            #expect(try told.lines.map { try JSON($0)["produced"] } == [1, 1], "\(told)")
            _ = try await bus.work("handler")
            let sent = try await bus.run(
                "send", "PlaceOrder", "--order", "o1", "--customer", "ann", "--csv", "--id", "7")
            #expect(sent.lines.first == "id,outcome,reason,message,events", "\(sent)")
            #expect(sent.lines.last?.hasPrefix(#"7,accepted,,,"[{""topic"":""orders.events"""#) == true, "\(sent)")
            let log = try bus.file(
                "a.log", #"192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1"# + "\n")
            let imported = try await bus.run("import", "access-log", log, "--site", "w", "--csv")
            #expect(imported.lines.first?.hasPrefix("file,lines,imported,records") == true, "\(imported)")
        }
    }

    @Test func `of events and views has a line a field, and a line a column`() async throws {
        try await onBus { bus in
            let events = try await bus.plain(["events", "HoldSeats", "--csv"])
            #expect(events.lines.first == "domain,kind,name,topic,field,type,repeated,required,about", "\(events)")
            #expect(
                events.lines.contains(
                    "tickets,command,HoldSeats,tickets.commands,holder,string,false,true,Who holds them."))
            let views = try await bus.plain(["views", "--csv"])
            #expect(views.lines.first == "projection,version,table,column,type,key,about", "\(views)")
        }
    }

    @Test func `has CSV's quotes where they are needed`() {
        let row: Members = [
            ("a", #""x,\"y\"""#), ("b", "null"), ("c", "12"), ("d", #"["p","q"]"#), ("e", "\"\\\"\u{301}\""),
        ]
        let line = #""x,""y""",,12,"[""p"",""q""]","""# + "\"\u{301}\",\n"
        #expect(CSVLine.text(row, ["a", "b", "c", "d", "e", "f"]) == line)
    }

    @Test(arguments: [60, 80, 100])
    func `of help is wrapped once`(_ columns: Int) throws {
        func check(_ command: any ParsableCommand.Type) {
            let help = Root.helpMessage(for: command, columns: columns)
            let prose = help.components(separatedBy: "\nUSAGE:")[0].split(
                separator: "\n", omittingEmptySubsequences: false)
            for (line, next) in zip(prose, prose.dropFirst()) {
                // What is indented is an example.
                guard let first = line.first, let word = next.split(separator: " ").first, first != " ",
                    next.first != " "
                else { continue }
                #expect(line.count + 1 + word.count >= columns, "\(command._commandName): \(line) | \(next)")
            }
            for next in command.configuration.subcommands { check(next) }
        }
        check(Root.self)
    }
}
