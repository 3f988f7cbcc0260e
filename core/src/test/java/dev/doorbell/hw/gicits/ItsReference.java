package dev.doorbell.hw.gicits;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// What an ITS with a GIC does, told with maps and sets: no tables, no registers, no code of the model.
final class ItsReference {
  /// One event's mapping.
  record Event(int intid, int icid) {}

  private final int cpus;
  private final Map<Integer, Integer> eventBits = new HashMap<>();

  /// What is written in each device's table, whether or not the device is mapped now.
  private final Map<Integer, Map<Integer, Event>> written = new HashMap<>();

  private final Map<Integer, Integer> collections = new HashMap<>();
  private final Map<Integer, Set<Integer>> pending = new HashMap<>();
  final Map<Integer, Integer> memoryConfig = new HashMap<>();
  private final Map<Integer, Map<Integer, Integer>> cachedConfig = new HashMap<>();
  int errors;
  int dropped;

  ItsReference(int cpus) {
    this.cpus = cpus;
    for (int cpu = 0; cpu < cpus; cpu++) {
      pending.put(cpu, new TreeSet<>());
      cachedConfig.put(cpu, new HashMap<>());
    }
  }

  void mapd(int device, int bits) {
    eventBits.put(device, bits);
  }

  void unmapd(int device) {
    eventBits.remove(device);
  }

  void mapc(int icid, int cpu) {
    if (cpu < cpus) {
      collections.put(icid, cpu);
    } else {
      errors++;
    }
  }

  void unmapc(int icid) {
    collections.remove(icid);
  }

  void mapti(int device, int event, int intid, int icid) {
    if (inside(device, event) && intid >= 8192) {
      written.computeIfAbsent(device, d -> new HashMap<>()).put(event, new Event(intid, icid));
    } else {
      errors++;
    }
  }

  void onEvent(int code, int device, int event, int icid) {
    Event e = find(device, event);
    Integer cpu = e == null ? null : collections.get(e.icid());
    Integer to = collections.get(icid);
    if (e == null || cpu == null || (code == 0x01 && to == null)) {
      errors++;
      return;
    }
    switch (code) {
      case 0x03 -> pending.get(cpu).add(e.intid());
      case 0x04 -> pending.get(cpu).remove(e.intid());
      case 0x0c -> cachedConfig.get(cpu).put(e.intid(), memoryConfig.getOrDefault(e.intid(), 0));
      case 0x0f -> {
        written.get(device).remove(event);
        pending.get(cpu).remove(e.intid());
      }
      case 0x01 -> {
        written.get(device).put(event, new Event(e.intid(), icid));
        move(cpu, to, e.intid());
      }
      default -> throw new IllegalArgumentException("code " + code);
    }
  }

  void invall(int icid) {
    Integer cpu = collections.get(icid);
    if (cpu == null) {
      errors++;
    } else {
      cachedConfig.put(cpu, new HashMap<>(memoryConfig));
    }
  }

  void movall(int from, int to) {
    for (int intid : Set.copyOf(pending.get(from))) {
      move(from, to, intid);
    }
  }

  private void move(int from, int to, int intid) {
    if (from != to) {
      cachedConfig.get(to).put(intid, cachedConfig.get(from).getOrDefault(intid, 0));
      if (pending.get(from).remove(intid)) {
        pending.get(to).add(intid);
      }
    }
  }

  void fire(int device, int event) {
    Event e = find(device, event);
    Integer cpu = e == null ? null : collections.get(e.icid());
    if (cpu == null) {
      dropped++;
    } else {
      pending.get(cpu).add(e.intid());
    }
  }

  /// {@return the interrupt that a CPU takes and ends, or -1}
  int take(int cpu) {
    int best = -1;
    int bestPriority = 0xff;
    for (int intid : pending.get(cpu)) {
      int config = cachedConfig.get(cpu).getOrDefault(intid, 0);
      if ((config & 1) != 0 && (config & 0xf8) < bestPriority) {
        best = intid;
        bestPriority = config & 0xf8;
      }
    }
    pending.get(cpu).remove(best);
    return best;
  }

  boolean isPending(int cpu, int intid) {
    return pending.get(cpu).contains(intid);
  }

  private boolean inside(int device, int event) {
    Integer bits = eventBits.get(device);
    return bits != null && event < 1 << bits;
  }

  private Event find(int device, int event) {
    return inside(device, event) ? written.getOrDefault(device, Map.of()).get(event) : null;
  }
}
