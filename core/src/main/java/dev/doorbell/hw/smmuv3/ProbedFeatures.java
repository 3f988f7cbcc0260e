package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.Granule;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaGeometry;
import java.util.ArrayList;
import java.util.List;

/// What the identification registers say, as far as the driver uses it.
///
/// @param stage1 stage 1 is implemented
/// @param stage2 stage 2 is implemented
/// @param granules ascending
/// @param outputBits OAS
/// @param streamIdBits SIDSIZE
/// @param twoLevel two-level stream tables
/// @param substreamIdBits SSIDSIZE; 0 without stage 1
/// @param twoLevelContexts two-level tables of context descriptors
/// @param asidBits 8 or 16
/// @param vmidBits 8 or 16
/// @param hyp EL2 translations exist and must be invalidated at start
/// @param msi the SMMU can send its own interrupts as messages
/// @param syncMsi CMD_SYNC can tell its completion by a write to memory that software sees
/// @param pri the PRI queue exists
/// @param stalls whether faults could stall; entries then forbid it
/// @param replacesLive break-before-make level 2
/// @param commandQueueLog2 largest command queue
/// @param eventQueueLog2 largest event queue
record ProbedFeatures(
    boolean stage1,
    boolean stage2,
    List<Granule> granules,
    int outputBits,
    int streamIdBits,
    boolean twoLevel,
    int substreamIdBits,
    boolean twoLevelContexts,
    int asidBits,
    int vmidBits,
    boolean hyp,
    boolean msi,
    boolean syncMsi,
    boolean pri,
    boolean stalls,
    boolean replacesLive,
    int commandQueueLog2,
    int eventQueueLog2) {
  private static final int TTF_AARCH64 = 0b10;
  private static final int ENDIAN_MIXED = 0b00;
  private static final int ENDIAN_LITTLE = 0b10;
  private static final int STALL_OR_TERMINATE = 0b00;
  private static final int STALL_FORCED = 0b10;
  private static final int BBML_2 = 0b10;

  ProbedFeatures {
    granules = List.copyOf(granules);
  }

  /// Reads them.
  ///
  /// **Source** IHI 0070 G.b, 6.3.1 SMMU_IDR0 to 6.3.6 SMMU_IDR5.
  ///
  /// @throws SmmuUnsupportedException when the driver cannot drive this hardware
  static ProbedFeatures read(SmmuPort port) {
    long idr0 = port.read(SmmuRegisters.IDR0);
    long idr1 = port.read(SmmuRegisters.IDR1);
    long idr3 = port.read(SmmuRegisters.IDR3);
    long idr5 = port.read(SmmuRegisters.IDR5);
    require(port, "SMMU_IDR0", idr0, idr0Lacks(idr0));
    boolean preset =
        SmmuRegisters.IDR1_TABLES_PRESET.isSet(idr1)
            || SmmuRegisters.IDR1_QUEUES_PRESET.isSet(idr1);
    require(
        port, "SMMU_IDR1", idr1, preset ? "tables or queues are preset at fixed addresses" : "");
    List<Granule> granules = granules(idr5);
    require(port, "SMMU_IDR5", idr5, granules.isEmpty() ? "no translation granule" : "");
    return new ProbedFeatures(
        SmmuRegisters.IDR0_S1P.isSet(idr0),
        SmmuRegisters.IDR0_S2P.isSet(idr0),
        granules,
        VmsaGeometry.decodeSize(SmmuRegisters.IDR5_OAS.getInt(idr5)),
        SmmuRegisters.IDR1_SIDSIZE.getInt(idr1),
        SmmuRegisters.IDR0_ST_LEVEL.get(idr0) == 1,
        SmmuRegisters.IDR0_S1P.isSet(idr0) ? SmmuRegisters.IDR1_SSIDSIZE.getInt(idr1) : 0,
        SmmuRegisters.IDR0_CD2L.isSet(idr0),
        SmmuRegisters.IDR0_ASID16.isSet(idr0) ? 16 : 8,
        SmmuRegisters.IDR0_VMID16.isSet(idr0) ? 16 : 8,
        SmmuRegisters.IDR0_HYP.isSet(idr0),
        SmmuRegisters.IDR0_MSI.isSet(idr0),
        SmmuRegisters.IDR0_MSI.isSet(idr0) && SmmuRegisters.IDR0_COHACC.isSet(idr0),
        SmmuRegisters.IDR0_PRI.isSet(idr0),
        SmmuRegisters.IDR0_STALL_MODEL.get(idr0) == STALL_OR_TERMINATE,
        SmmuRegisters.IDR3_BBML.get(idr3) == BBML_2,
        SmmuRegisters.IDR1_CMDQS.getInt(idr1),
        SmmuRegisters.IDR1_EVENTQS.getInt(idr1));
  }

  /// {@return the stage to use: stage 1 where there is one}
  Stage preferredStage() {
    return stage1 ? Stage.STAGE1 : Stage.STAGE2;
  }

  boolean has(Stage stage) {
    return stage == Stage.STAGE1 ? stage1 : stage2;
  }

  /// {@return output bits that tables with a granule can reach here; 52 need 64 KiB}
  int outputBits(Granule granule) {
    return granule.equals(Granule.K64)
        ? outputBits
        : Math.min(outputBits, VmsaGeometry.MAX_INPUT_BITS);
  }

  /// {@return input bits of tables made here}
  int inputBits(Stage stage) {
    return stage == Stage.STAGE1
        ? VmsaGeometry.MAX_INPUT_BITS
        : Math.min(outputBits, VmsaGeometry.MAX_INPUT_BITS);
  }

  private static String idr0Lacks(long idr0) {
    long endian = SmmuRegisters.IDR0_TTENDIAN.get(idr0);
    if (!SmmuRegisters.IDR0_S1P.isSet(idr0) && !SmmuRegisters.IDR0_S2P.isSet(idr0)) {
      return "neither stage 1 nor stage 2 is implemented";
    }
    if ((SmmuRegisters.IDR0_TTF.get(idr0) & TTF_AARCH64) == 0) {
      return "AArch64 translation tables are not implemented";
    }
    if (endian != ENDIAN_MIXED && endian != ENDIAN_LITTLE) {
      return "little-endian translation tables are not implemented";
    }
    return SmmuRegisters.IDR0_STALL_MODEL.get(idr0) == STALL_FORCED
        ? "faults always stall, and this driver resumes none"
        : "";
  }

  private static List<Granule> granules(long idr5) {
    List<Granule> granules = new ArrayList<>();
    if (SmmuRegisters.IDR5_GRAN4K.isSet(idr5)) {
      granules.add(Granule.K4);
    }
    if (SmmuRegisters.IDR5_GRAN16K.isSet(idr5)) {
      granules.add(Granule.K16);
    }
    if (SmmuRegisters.IDR5_GRAN64K.isSet(idr5)) {
      granules.add(Granule.K64);
    }
    return granules;
  }

  private static void require(SmmuPort port, String register, long value, String lacks) {
    if (!lacks.isEmpty()) {
      throw new SmmuUnsupportedException(port.id(), register, value, lacks);
    }
  }
}
