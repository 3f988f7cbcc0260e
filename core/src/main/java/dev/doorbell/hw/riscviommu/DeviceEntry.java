package dev.doorbell.hw.riscviommu;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/// What stands for a device: its context, and the address spaces of its processes.
final class DeviceEntry {
  private final long[] context;
  private final Map<Integer, RiscvIommuAddressSpace> processes;

  private DeviceEntry(long[] context, Map<Integer, RiscvIommuAddressSpace> processes) {
    this.context = context;
    this.processes = Map.copyOf(processes);
  }

  /// {@return an entry without processes}
  ///
  /// @param context its doublewords
  static DeviceEntry of(long[] context) {
    return new DeviceEntry(context.clone(), Map.of());
  }

  /// {@return this with an address space for a process}
  DeviceEntry with(int process, RiscvIommuAddressSpace space) {
    Map<Integer, RiscvIommuAddressSpace> then = new HashMap<>(processes);
    then.put(process, space);
    return new DeviceEntry(context, then);
  }

  /// {@return this without a process}
  DeviceEntry without(int process) {
    Map<Integer, RiscvIommuAddressSpace> then = new HashMap<>(processes);
    then.remove(process);
    return new DeviceEntry(context, then);
  }

  /// {@return the doublewords that the context has, or would have without processes}
  long[] context() {
    return context.clone();
  }

  /// {@return the address spaces by process_id, from 1 on}
  Map<Integer, RiscvIommuAddressSpace> processes() {
    return processes;
  }

  /// {@return the address spaces of the processes}
  Set<RiscvIommuAddressSpace> spaces() {
    return new HashSet<>(processes.values());
  }

  /// {@return whether a second stage has part in the context}
  boolean hasSecond() {
    return DirectoryLayout.IOHGATP_MODE.get(word(DirectoryLayout.IOHGATP_AT))
        != DirectoryLayout.BARE;
  }

  /// {@return whether the context leads by way of a second stage to what a guest wrote}
  boolean isNested() {
    return hasSecond()
        && DirectoryLayout.FSC_MODE.get(word(DirectoryLayout.FSC_AT)) != DirectoryLayout.BARE;
  }

  /// {@return `GSCID`}
  int gscid() {
    return DirectoryLayout.IOHGATP_GSCID.getInt(word(DirectoryLayout.IOHGATP_AT));
  }

  private long word(int at) {
    return context[at / Long.BYTES];
  }
}
