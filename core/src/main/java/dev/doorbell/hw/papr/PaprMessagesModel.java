package dev.doorbell.hw.papr;

import dev.doorbell.pci.MessageTable;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// The messages of the functions behind one host bridge: ibm,change-msi takes interrupts for a function, composes its messages and programs it with
/// them. The function's own switch stays the guest's. Callers hold the hypervisor's lock.
///
/// Each PE may have so many as its bridge's quota is; who asks for more gets fewer, and is told how many. Who asks for more than the function can have is
/// told how many those are, and given none: it is to ask again.
///
/// **Source**: LoPAPR 1.1, 7.3.10.5.1; QEMU 10.0 `hw/ppc/spapr_pci.c` (`rtas_ibm_change_msi`).
final class PaprMessagesModel {
  /// Where messages of 64 bits of address go; a datum is an interrupt's number.
  static final long ADDRESS = 0x400_0000_0000L;

  /// Where those of functions go that have 32 bits of address.
  static final long LOW_ADDRESS = 0xffff_0000L;

  private static final long WINDOW = 0x1_0000;

  /// Edge.
  private static final int TRIGGER = 1;

  private static final int ARGUMENTS = 6;

  /// Interrupts of one function.
  private record Given(int first, int count) {}

  private final PaprFunctions functions;
  private final PaprInterruptsModel interrupts;
  private final int quota;
  private final Map<Integer, Given> given = new HashMap<>();

  /// @param quota interrupts that the functions may have together
  PaprMessagesModel(PaprFunctions functions, PaprInterruptsModel interrupts, int quota) {
    this.functions = functions;
    this.interrupts = interrupts;
    this.quota = quota;
  }

  static boolean isMessage(long address) {
    return address >= ADDRESS && address < ADDRESS + WINDOW
        || address >= LOW_ADDRESS && address < LOW_ADDRESS + WINDOW;
  }

  /// Takes interrupts for a function, in place of those that it had.
  ///
  /// @param arguments config_addr, BUID (2), function, number, sequence number
  /// @param owner the LIOBN of the function's PE
  /// {@return the status}
  int change(int[] arguments, int[] results, long owner) {
    if (arguments.length < ARGUMENTS || arguments[4] < 0) {
      return Calls.RTAS_PARAMETER;
    }
    int rid = ConfigAddressLayout.RID.getInt(arguments[0]);
    Optional<MessageTable.Kind> kind = kind(rid, arguments[3]);
    Optional<MessageTable> table = kind.flatMap(k -> functions.table(rid, k));
    if (kind.isEmpty() || table.isEmpty()) {
      return Calls.RTAS_PARAMETER;
    }
    int wanted = arguments[4];
    if (wanted == 0 && !given.containsKey(rid)) {
      return Calls.RTAS_HARDWARE;
    }
    if (wanted == 0) {
      release(rid);
      put(results, 1, 0);
      return Calls.RTAS_OK;
    }
    int most = table.orElseThrow().size();
    int granted =
        wanted > most ? most : grant(rid, arguments[3], table.orElseThrow(), owner, wanted);
    if (granted < 0) {
      return Calls.RTAS_HARDWARE;
    }
    put(results, 1, granted);
    put(results, 2, arguments[5] + 1);
    put(results, 3, kind.get() == MessageTable.Kind.MSIX ? Calls.TYPE_MSIX : Calls.TYPE_MSI);
    return Calls.RTAS_OK;
  }

  private Optional<MessageTable.Kind> kind(int rid, int function) {
    return switch (function) {
      case Calls.CHANGE_MSI_FN, Calls.CHANGE_MSI32 -> Optional.of(MessageTable.Kind.MSI);
      case Calls.CHANGE_MSIX, Calls.CHANGE_MSIX32 -> Optional.of(MessageTable.Kind.MSIX);
      case Calls.CHANGE_ANY ->
          Optional.of(
              functions.table(rid, MessageTable.Kind.MSI).isPresent()
                  ? MessageTable.Kind.MSI
                  : MessageTable.Kind.MSIX);
      default -> Optional.empty();
    };
  }

  /// The former interrupts are given back when there are new ones.
  private int grant(int rid, int function, MessageTable table, long owner, int wanted) {
    boolean msi = table.kind() == MessageTable.Kind.MSI;
    int used =
        given.entrySet().stream()
            .filter(e -> e.getKey() != rid)
            .mapToInt(e -> e.getValue().count())
            .sum();
    int count = Math.min(wanted, quota - used);
    if (msi && count > 0) {
      count = Integer.highestOneBit(count);
    }
    if (count <= 0) {
      return -1;
    }
    int first = interrupts.take(count, msi, owner);
    if (first < 0) {
      return -1;
    }
    release(rid);
    given.put(rid, new Given(first, count));
    boolean low =
        function == Calls.CHANGE_MSI32 || function == Calls.CHANGE_MSIX32 || !table.is64Bit();
    for (int i = 0; i < (msi ? 1 : count); i++) {
      table.write(i, low ? LOW_ADDRESS : ADDRESS, first + i);
    }
    return count;
  }

  private void release(int rid) {
    Given had = given.remove(rid);
    if (had != null) {
      interrupts.giveBack(had.first(), had.count());
    }
  }

  /// Tells the number of one of a function's interrupts.
  int number(int[] arguments, int[] results) {
    int rid = ConfigAddressLayout.RID.getInt(arguments[0]);
    if (functions.config(rid).isEmpty()) {
      return Calls.RTAS_PARAMETER;
    }
    Given had = given.get(rid);
    if (had == null || arguments[3] < 0 || arguments[3] >= had.count()) {
      return Calls.RTAS_HARDWARE;
    }
    put(results, 1, had.first() + arguments[3]);
    put(results, 2, TRIGGER);
    return Calls.RTAS_OK;
  }

  static void put(int[] results, int at, int value) {
    if (at < results.length) {
      results[at] = value;
    }
  }
}
