package dev.doorbell.route;

import dev.doorbell.testkit.Json;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// What a captured machine's folder `oracle` holds, for tests of walkers: memory, the registers of one IOMMU, and the truth.
public record Oracle(TableDump memory, Map<String, Long> registers, Json.Node truth) {
  /// {@return the oracle of a machine of the lab; the test is skipped where that is not there}
  ///
  /// @param iommu its kind in `registers.json`
  public static Oracle of(String machine, String iommu) throws IOException {
    Path oracle = Shared.require("lab-captures/" + machine + "/oracle");
    TableDump dump;
    try (Reader text = Files.newBufferedReader(oracle.resolve("memory.txt"))) {
      dump = TableDump.read("memory.txt", text);
    }
    Map<String, Long> registers = new HashMap<>();
    Json.Node block =
        Json.parse(Files.readString(oracle.resolve("registers.json")))
            .get(iommu)
            .list()
            .getFirst()
            .get("regs");
    block.names().forEach(name -> registers.put(name, block.get(name).number()));
    return new Oracle(dump, registers, Json.parse(Files.readString(oracle.resolve("truth.json"))));
  }

  /// {@return the requester id of each function with a vector, by its name}
  public Map<String, Integer> requesters() {
    Map<String, Integer> out = new HashMap<>();
    truth
        .get("vectors")
        .list()
        .forEach(v -> out.put(v.get("bdf").text(), (int) v.get("requester_id").number()));
    return out;
  }
}
