package dev.doorbell.hw.papr;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// A host bridge's window as its driver finds it.
///
/// @param id the name that it is told under
/// @param liobn the window's number
/// @param window its addresses
/// @param endpoint by which RTAS calls name its PE; empty where they are not to be made
public record PaprHardware(
    String id,
    long liobn,
    AddressRange window,
    Optional<Endpoint> endpoint,
    PhysicalMemory memory,
    Frames frames) {
  /// A PE.
  ///
  /// @param buid its bridge
  /// @param rid a requester id of its
  /// @param dynamic whether the tree says that it may have a further window
  public record Endpoint(long buid, int rid, boolean dynamic, Source source) {
    /// {@return arguments of a call about it: config_addr, BUID (2), and more}
    int[] arguments(int... more) {
      int[] out = new int[3 + more.length];
      out[0] = (int) ConfigAddressLayout.RID.place(rid);
      out[1] = (int) (buid >>> Integer.SIZE);
      out[2] = (int) buid;
      System.arraycopy(more, 0, out, 3, more.length);
      return out;
    }
  }

  /// What a guest has that manages its interrupts itself (XIVE).
  ///
  /// @param servers numbers of processors, at least one and at most 128
  /// @param priority of all interrupts
  /// @param queueShift bits of a queue's bytes
  public record Exploitation(
      List<Long> servers,
      int priority,
      int queueShift,
      PhysicalMemory memory,
      Frames frames,
      Pages pages) {
    public Exploitation {
      servers = List.copyOf(servers);
    }
  }

  /// How a guest reaches the pages of its sources and processors.
  public interface Pages {
    /// {@return a window onto pages that the hypervisor named}
    RegisterBus registers(AddressRange window);

    /// {@return the page of a processor's own context (TIMA), numbered from 0}
    RegisterBus context(int cpu);
  }

  /// Messages of a bridge.
  ///
  /// @param quota interrupts that its functions may have together; empty when the tree does not tell
  public record Messages(
      String id, long buid, OptionalInt quota, Source source, PaprFunctions functions) {}
}
