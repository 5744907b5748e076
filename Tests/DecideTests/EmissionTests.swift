import EventModel
import Testing

@Suite("What a reaction wants written")
struct EmissionTests {
    @Test func `a record for one key goes to the key's partition`() {
        let records = Emission(topic: "t", key: "k", value: "v", type: "E").records(among: 4)
        #expect(records.count == 1 && records[0].key == "k" && records[0].value == "v")
        #expect(records[0].partition == Partitioner.partition(of: "k", among: 4))
    }
    @Test func `a record for many keys is written once for each partition that has some`() {
        let keys = (0..<1000).map { "k\($0)" }
        let emission = Emission(topic: "t", to: keys, type: "E") { Bytes($0.joined(separator: ",")) }
        let records = emission.records(among: 4)
        #expect(records.map(\.partition) == [0, 1, 2, 3] && records.allSatisfy { $0.key.isEmpty })
        for record in records {
            let mine = keys.filter { Partitioner.partition(of: Bytes($0), among: 4) == record.partition }
            #expect(record.value.text == mine.joined(separator: ","))
        }
        #expect(Emission(topic: "t", to: [], type: "E") { _ in "" }.records(among: 4).isEmpty)
        #expect(Emission(topic: "t", to: ["a"], type: "E") { _ in "" }.records(among: 100).count == 1)
    }
    @Test func `so many keys that they do not fit one record take several`() {
        let keys = (0..<Emission.keysPerRecord * 2 + 1).map { "k\($0)" }
        let records = Emission(topic: "t", to: keys, type: "E") { Bytes(String($0.count)) }.records(among: 1)
        #expect(records.map(\.value.text) == ["\(Emission.keysPerRecord)", "\(Emission.keysPerRecord)", "1"])
    }
}

@Suite("Settings")
struct SettingsTests {
    @Test func `come from variables that are named after them`() throws {
        let settings = Settings(environment: ["MILLRACE_SOCIAL_FAN_OUT_LIMIT": "7", "PATH": "x"])
        #expect(try settings.integer("social.fan-out-limit", default: 5, in: 1...10) == 7)
        #expect(try settings.integer("social.other", default: 5, in: 1...10) == 5)
    }
    @Test(arguments: ["", "x", "0", "11", "1.5"]) func `are checked`(text: String) {
        let settings = Settings(environment: ["MILLRACE_A_B": text])
        #expect(throws: Malformed("MILLRACE_A_B", "is \(text), it must be a whole number from 1 to 10")) {
            try settings.integer("a.b", default: 5, in: 1...10)
        }
    }
}
