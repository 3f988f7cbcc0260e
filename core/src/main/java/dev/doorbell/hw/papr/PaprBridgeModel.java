package dev.doorbell.hw.papr;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.Translator;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigSpace;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// What a hypervisor keeps of one host bridge: its functions, their PEs, and their messages. Callers hold the hypervisor's lock, but for
/// {@link #translator}.
final class PaprBridgeModel {
  /// Where the second windows of PEs begin.
  static final long SECOND = 0x800_0000_0000_0000L;

  /// Sizes of pages that a second window can have: bits of the mask, and shifts.
  private static final int PAGES_64K = 0x2;

  private static final int PAGES_4K = 0x1;

  /// TCEs of a second window at most.
  private static final int MOST_TCES = 0x40_0000;

  private static final int MOST_SHIFT = 62;

  private final PaprFunctions functions;
  private final PaprInterruptsModel interrupts;
  private final PaprMessagesModel messages;
  private final IntFunction<Optional<Long>> liobnOf;
  private final Map<Long, PeModel> pes = new HashMap<>();
  private final boolean dynamic;

  PaprBridgeModel(PaprModel.Bridge bridge, PaprInterruptsModel interrupts) {
    functions = bridge.functions();
    liobnOf = bridge.liobnOf();
    dynamic = bridge.dynamic();
    this.interrupts = interrupts;
    messages = new PaprMessagesModel(functions, interrupts, bridge.quota());
  }

  Translator translator(long liobn, AddressRange window) {
    PeModel pe = new PeModel(liobn, window, interrupts);
    pes.put(liobn, pe);
    return pe;
  }

  /// {@return the PE that has a window; null when none of this bridge has}
  @Nullable PeModel withWindow(long liobn) {
    for (PeModel pe : pes.values()) {
      if (pe.liobn() == liobn || pe.hasSecond() && pe.secondLiobn() == liobn) {
        return pe;
      }
    }
    return null;
  }

  private @Nullable PeModel pe(int configAddress) {
    return liobnOf.apply(ConfigAddressLayout.RID.getInt(configAddress)).map(pes::get).orElse(null);
  }

  /// {@return the status of a call about a function of this bridge}
  ///
  /// @param arguments config_addr, BUID (2), and what the call takes
  int rtas(String call, int[] arguments, int[] results) {
    return switch (call) {
      case Calls.READ_CONFIG, Calls.WRITE_CONFIG ->
          arguments.length < 4 ? Calls.RTAS_PARAMETER : config(call, arguments, results);
      case Calls.SOURCE_NUMBER ->
          arguments.length < 4 ? Calls.RTAS_PARAMETER : messages.number(arguments, results);
      default -> {
        PeModel pe = pe(arguments[0]);
        yield pe == null ? Calls.RTAS_PARAMETER : endpoint(call, pe, arguments, results);
      }
    };
  }

  private int endpoint(String call, PeModel pe, int[] arguments, int[] results) {
    int option = arguments.length > 3 ? arguments[3] : 0;
    return switch (call) {
      case Calls.CHANGE_MSI -> messages.change(arguments, results, pe.liobn());
      case Calls.QUERY_WINDOW -> query(pe, results);
      case Calls.CREATE_WINDOW ->
          arguments.length < 5 ? Calls.RTAS_PARAMETER : create(pe, arguments, results);
      case Calls.RESET_WINDOW -> {
        pe.reset();
        yield Calls.RTAS_OK;
      }
      case Calls.PE_ADDRESS -> {
        // Option 1 asks whether the function has a PE, shared with others (2) or not (1).
        PaprMessagesModel.put(
            results, 1, option == 1 ? 1 : arguments[0] & (int) ConfigAddressLayout.RID.mask());
        yield Calls.RTAS_OK;
      }
      case Calls.EEH_OPTION -> thaw(pe, option);
      case Calls.SLOT_RESET -> {
        pe.state(option == 0 ? Calls.STATE_NORMAL : Calls.STATE_RESET);
        yield Calls.RTAS_OK;
      }
      case Calls.SLOT_STATE -> {
        PaprMessagesModel.put(results, 1, pe.state());
        PaprMessagesModel.put(results, 2, 1);
        PaprMessagesModel.put(results, 3, 0);
        yield Calls.RTAS_OK;
      }
      default -> Calls.RTAS_PARAMETER;
    };
  }

  private static int thaw(PeModel pe, int option) {
    return switch (option) {
      case Calls.EEH_DISABLE, Calls.EEH_ENABLE -> Calls.RTAS_OK;
      case Calls.EEH_THAW_MMIO -> {
        if (pe.state() == Calls.STATE_STOPPED) {
          pe.state(Calls.STATE_DMA_STOPPED);
        }
        yield Calls.RTAS_OK;
      }
      case Calls.EEH_THAW_DMA -> {
        if (pe.state() != Calls.STATE_RESET) {
          pe.state(Calls.STATE_NORMAL);
        }
        yield Calls.RTAS_OK;
      }
      default -> Calls.RTAS_PARAMETER;
    };
  }

  private int query(PeModel pe, int[] results) {
    PaprMessagesModel.put(results, 1, dynamic && !pe.hasSecond() ? 1 : 0);
    PaprMessagesModel.put(results, 2, MOST_TCES);
    PaprMessagesModel.put(results, 3, PAGES_4K | PAGES_64K);
    PaprMessagesModel.put(results, 4, 0);
    return Calls.RTAS_OK;
  }

  /// @param arguments config_addr, BUID (2), shift of a page, shift of the window
  private int create(PeModel pe, int[] arguments, int[] results) {
    int page = arguments[3];
    int window = arguments[4];
    if (page != 12 && page != 16 || window < page || window > MOST_SHIFT) {
      return Calls.RTAS_PARAMETER;
    }
    if (!dynamic || pe.hasSecond() || 1L << window - page > MOST_TCES) {
      return Calls.RTAS_HARDWARE;
    }
    pe.second(new TceTableModel(AddressRange.ofSize(SECOND, 1L << window), page));
    PaprMessagesModel.put(results, 1, (int) pe.secondLiobn());
    PaprMessagesModel.put(results, 2, (int) (SECOND >>> Integer.SIZE));
    PaprMessagesModel.put(results, 3, (int) SECOND);
    return Calls.RTAS_OK;
  }

  private int config(String call, int[] arguments, int[] results) {
    int at = arguments[0];
    int offset =
        ConfigAddressLayout.REGISTER_HIGH.getInt(Integer.toUnsignedLong(at)) << Byte.SIZE
            | ConfigAddressLayout.REGISTER_LOW.getInt(at);
    int bytes = arguments[3];
    boolean sized = bytes == 1 || bytes == 2 || bytes == 4;
    boolean read = call.equals(Calls.READ_CONFIG);
    if (!sized
        || offset % bytes != 0
        || offset + bytes > CapabilityLayout.EXTENDED_BYTES
        || !read && arguments.length < 5) {
      return Calls.RTAS_PARAMETER;
    }
    Optional<ConfigSpace> config = functions.config(ConfigAddressLayout.RID.getInt(at));
    if (config.isEmpty()) {
      return Calls.RTAS_HARDWARE;
    }
    if (read) {
      PaprMessagesModel.put(results, 1, config.get().read(offset, bytes));
    } else {
      config.get().write(offset, arguments[4], bytes);
    }
    return Calls.RTAS_OK;
  }
}
