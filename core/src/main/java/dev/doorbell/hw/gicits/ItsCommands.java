package dev.doorbell.hw.gicits;

import static dev.doorbell.hw.gicits.ItsCommandLayout.*;
import static dev.doorbell.hw.gicits.QemuItsTables.*;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.irq.LpiPort;

/// What each ITS command does in the model. Every command has taken effect when it returns, so SYNC finds nothing to wait for.
///
/// A command that the architecture calls an error is skipped and changes nothing: one of the choices the architecture leaves.
/// Mapping a mapped device, event or collection again replaces the mapping.
///
/// **Source**: IHI 0069 H, 5.3.
final class ItsCommands {
  /// The result of a command that did its work.
  static final String DONE = "";

  private static final String NO_DEVICE =
      "the device is not mapped, or the event is outside its table";
  private static final String NO_EVENT = "the event is not mapped";
  private static final String NO_COLLECTION = "there is no such collection";
  private static final String NOT_MAPPED = "the collection is not mapped";
  private static final String NO_TARGET = "there is no such redistributor";

  private final ItsConfig config;
  private final PhysicalMemory memory;
  private final LpiPort port;
  private final ItsTranslation tables;

  ItsCommands(ItsConfig config, PhysicalMemory memory, LpiPort port, ItsTranslation tables) {
    this.config = config;
    this.memory = memory;
    this.port = port;
    this.tables = tables;
  }

  /// Executes a command of four doublewords.
  ///
  /// {@return {@link #DONE}, or why it was skipped}
  ///
  /// @throws dev.doorbell.bus.BusErrorException when a table lies outside memory
  String execute(long[] command) {
    return switch (CODE.getInt(command[0])) {
      case MAPC -> mapc(command);
      case INVALL -> invall(command);
      case MOVALL -> moveall(command);
      case SYNC -> targetOf(RDBASE.get(command[2])) < 0 ? NO_TARGET : DONE;
      case MAPD, MAPTI, MAPI, MOVI, DISCARD, CLEAR, INT, INV -> ofDevice(command);
      default -> "the command is not implemented";
    };
  }

  private String ofDevice(long[] command) {
    long device = DEVICE_ID.get(command[0]);
    int code = CODE.getInt(command[0]);
    return code == MAPD
        ? mapd(device, command)
        : ofEvent(code, device, EVENT_ID.get(command[1]), command);
  }

  private String mapd(long device, long[] command) {
    long dte = tables.dteAddress(device);
    if (dte == ItsTableModel.NOWHERE) {
      return "the DeviceID is outside the device table";
    }
    if (!MAPD_VALID.isSet(command[2])) {
      tables.change(() -> memory.write(dte, 0, DTE_BYTES));
      return DONE;
    }
    long size = SIZE.get(command[1]);
    if (size >= config.eventIdBits()) {
      return "the ITS has fewer EventID bits";
    }
    long entry = DTE_VALID.place(1) | DTE_SIZE.place(size) | placeItt(ITT_ADDRESS.get(command[2]));
    tables.change(() -> memory.write(dte, entry, DTE_BYTES));
    return DONE;
  }

  private String ofEvent(int code, long device, long event, long[] command) {
    long ite = tables.iteAddress(device, event);
    if (ite == ItsTableModel.NOWHERE) {
      return NO_DEVICE;
    }
    if (code == MAPTI || code == MAPI) {
      long intid = code == MAPI ? event : PINTID.get(command[1]);
      return mapti(ite, intid, ICID.get(command[2]));
    }
    long word0 = memory.read(ite + ITE_WORD0, Integer.BYTES);
    if (!ITE_VALID.isSet(word0)) {
      return NO_EVENT;
    }
    int intid = ITE_INTID.getInt(word0);
    int target = tables.target(ITE_ICID.get(memory.read(ite + ITE_WORD1, Integer.BYTES)));
    if (target < 0) {
      return NOT_MAPPED;
    }
    switch (code) {
      case INT -> port.setPending(target, intid);
      case CLEAR -> port.clearPending(target, intid);
      case INV -> port.reload(target, intid);
      case DISCARD -> {
        tables.change(() -> writeIte(ite, 0, 0, 0));
        port.clearPending(target, intid);
      }
      default -> {
        return movi(ite, target, intid, ICID.get(command[2]));
      }
    }
    return DONE;
  }

  private String mapti(long ite, long intid, long icid) {
    if (!port.isLpi(intid)) {
      return "the INTID is no LPI";
    }
    if (!tables.isCollectionInRange(icid)) {
      return NO_COLLECTION;
    }
    long word1 = memory.read(ite + ITE_WORD1, Integer.BYTES);
    long next1 = ITE_ICID.with(ITE_VPEID.with(word1, 0), icid);
    long word0 = ITE_VALID.place(1) | ITE_PHYSICAL.place(1) | ITE_INTID.place(intid);
    tables.change(() -> writeIte(ite, word0, next1, ITE_DOORBELL.place(NO_DOORBELL)));
    return DONE;
  }

  private void writeIte(long ite, long word0, long word1, long word2) {
    memory.write(ite + ITE_WORD2, word2, Integer.BYTES);
    memory.write(ite + ITE_WORD1, word1, Integer.BYTES);
    memory.write(ite + ITE_WORD0, word0, Integer.BYTES);
  }

  private String movi(long ite, int from, int intid, long icid) {
    int to = tables.target(icid);
    if (to < 0) {
      return NOT_MAPPED;
    }
    long word1 = memory.read(ite + ITE_WORD1, Integer.BYTES);
    tables.change(() -> memory.write(ite + ITE_WORD1, ITE_ICID.with(word1, icid), Integer.BYTES));
    port.move(from, to, intid);
    return DONE;
  }

  private String mapc(long[] command) {
    long icid = ICID.get(command[2]);
    if (!tables.hasCollection(icid)) {
      return NO_COLLECTION;
    }
    if (!MAPC_VALID.isSet(command[2])) {
      tables.change(() -> tables.setCollection(icid, 0));
      return DONE;
    }
    int target = targetOf(RDBASE.get(command[2]));
    if (target < 0) {
      return NO_TARGET;
    }
    long cte = CTE_VALID.place(1) | CTE_RDBASE.place(target);
    tables.change(() -> tables.setCollection(icid, cte));
    return DONE;
  }

  private String invall(long[] command) {
    int target = tables.target(ICID.get(command[2]));
    if (target < 0) {
      return NOT_MAPPED;
    }
    port.reloadAll(target);
    return DONE;
  }

  private String moveall(long[] command) {
    int from = targetOf(RDBASE.get(command[2]));
    int to = targetOf(RDBASE2.get(command[3]));
    if (from < 0 || to < 0) {
      return NO_TARGET;
    }
    port.moveAll(from, to);
    return DONE;
  }

  /// {@return the processor number that an RDbase names, or -1}
  private int targetOf(long rdbase) {
    int target = config.byAddress() ? port.targetAt(rdbase << RDBASE.lsb()) : (int) rdbase;
    return rdbase >>> Integer.SIZE == 0 && port.hasTarget(target) ? target : -1;
  }
}
