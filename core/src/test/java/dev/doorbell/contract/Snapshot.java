package dev.doorbell.contract;

import dev.doorbell.host.Host;
import dev.doorbell.iommu.Domain;
import dev.doorbell.machine.Machine;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// What can be seen of a machine at one moment, in lines.
final class Snapshot {
  private static final int CONFIG_SEEN = 256;

  private Snapshot() {}

  /// {@return everything that a refusal must leave alone}
  static List<String> everything(
      Machine machine, Host host, Map<Integer, Domain> domains, List<Fn> functions) {
    List<String> out = figures(machine, host);
    domains.forEach((i, d) -> {
      out.add("domain " + i + " maps " + d.mappings());
      out.add("domain " + i + " window " + d.msiWindow());
      out.add("domain " + i + " groups " + d.groups());
      out.add("domain " + i + " reserves " + d.reservedRegions());
    });
    for (int i = 0; i < functions.size(); i++) {
      Fn f = functions.get(i);
      out.add(i + " placed " + f.group().placement());
      out.add(i + " vectors " + f.vectors().vectors());
      StringBuilder config = new StringBuilder();
      for (int at = 0; at < CONFIG_SEEN; at += Integer.BYTES) {
        config.append(Integer.toHexString(f.config().read(at, Integer.BYTES))).append(' ');
      }
      out.add(i + " config " + config);
      StringBuilder table = new StringBuilder();
      for (long[] e : f.entries()) {
        table.append("%x %x %d; ".formatted(e[0], e[1], e[2]));
      }
      out.add(i + " table " + table);
    }
    return out;
  }

  /// {@return figures that are as at the start when everything has been given back}
  static List<String> figures(Machine machine, Host host) {
    List<String> out = new ArrayList<>();
    out.add("bytes in use " + machine.frames().bytesInUse());
    host.msiControllers().forEach(c -> out.add(c.id() + " free " + c.vectorsFree()));
    return out;
  }
}
