package dev.doorbell.hw.smmuv2;

import static dev.doorbell.hw.smmuv2.Gr0Registers.*;

import dev.doorbell.address.Granule;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaGeometry;
import java.util.ArrayList;
import java.util.List;

/// What the identification registers say, as far as the driver uses it.
///
/// @param version 1 or 2
/// @param stage1 stage 1 is implemented
/// @param stage2 stage 2 is implemented
/// @param nests a bank of stage 1 can have one of stage 2 behind it
/// @param longTables tables of AArch32 with long descriptors are implemented
/// @param matching streams are matched; else a StreamID is the number of its SMMU_S2CRn
/// @param extended matched StreamIDs have 16 bits and a valid bit in SMMU_S2CRn
/// @param streamBits width of a StreamID
/// @param entries how many SMMU_S2CRn there are
/// @param banks context banks
/// @param stage2Banks the first ones, which know stage 2 only
/// @param granules of AArch64 tables, ascending; empty where there are AArch32 ones only
/// @param upstreamBits width of a device's address
/// @param ipaBits output of stage 1, input of stage 2
/// @param outputBits output of stage 2
record SmmuV2Probe(
    int version,
    boolean stage1,
    boolean stage2,
    boolean nests,
    boolean longTables,
    boolean matching,
    boolean extended,
    int streamBits,
    int entries,
    int banks,
    int stage2Banks,
    List<Granule> granules,
    int upstreamBits,
    int ipaBits,
    int outputBits) {
  private static final int EXTENDED_BITS = 16;
  private static final int WIDEST_32 = 40;
  private static final int INPUT_32 = 32;
  private static final int NO_AARCH32 = 2;

  SmmuV2Probe {
    granules = List.copyOf(granules);
  }

  /// Reads them.
  ///
  /// **Source** IHI 0062 D.c, 9.6.1.
  ///
  /// @throws SmmuV2Unsupported when the driver cannot drive this hardware
  static SmmuV2Probe read(SmmuV2Port port) {
    long idr0 = port.gr0(IDR0);
    long idr1 = port.gr0(IDR1);
    long idr2 = port.gr0(IDR2);
    int version = IDR7_MAJOR.getInt(port.gr0(IDR7)) >= 2 ? 2 : 1;
    boolean matching = IDR0_SMS.isSet(idr0);
    boolean extended = matching && version == 2 && IDR0_EXIDS.isSet(idr0);
    int ids = extended ? EXTENDED_BITS : IDR0_NUMSIDB.getInt(idr0);
    int groups = matching ? IDR0_NUMSMRG.getInt(idr0) : 1 << ids;
    int banks = Math.min(IDR1_NUMCB.getInt(idr1), Gr1Registers.MOST_BANKS);
    SmmuV2Probe probe =
        new SmmuV2Probe(
            version,
            IDR0_S1TS.isSet(idr0),
            IDR0_S2TS.isSet(idr0),
            IDR0_NTS.isSet(idr0) && IDR0_S1TS.isSet(idr0) && IDR0_S2TS.isSet(idr0),
            IDR0_PTFS.get(idr0) < NO_AARCH32,
            matching,
            extended,
            ids,
            Math.min(groups, MOST_STREAMS),
            banks,
            Math.min(IDR1_NUMS2CB.getInt(idr1), banks),
            version == 2 ? granules(idr2) : List.of(),
            version == 2 ? bits(IDR2_UBS.getInt(idr2)) : bits(IDR2_IAS.getInt(idr2)),
            bits(IDR2_IAS.getInt(idr2)),
            bits(IDR2_OAS.getInt(idr2)));
    boolean tables = !probe.granules.isEmpty() || probe.longTables;
    require(port, "SMMU_IDR0", idr0, probe.stage1 || probe.stage2, "neither stage 1 nor stage 2");
    require(port, "SMMU_IDR0", idr0, tables, "no translation tables that Doorbell writes");
    require(port, "SMMU_IDR0", idr0, probe.entries > 0, "no stream match registers");
    require(port, "SMMU_IDR1", idr1, banks > 0, "no context banks");
    return probe;
  }

  /// {@return the stage to use: stage 1 where there is one with a bank}
  Stage preferredStage() {
    return has(Stage.STAGE1) ? Stage.STAGE1 : Stage.STAGE2;
  }

  boolean has(Stage stage) {
    return stage == Stage.STAGE1 ? stage1 && banks > stage2Banks : stage2;
  }

  /// {@return whether tables are AArch64 ones}
  boolean is64() {
    return !granules.isEmpty();
  }

  /// {@return granules of the tables that are made here}
  List<Granule> usable() {
    return is64() ? granules : List.of(Granule.K4);
  }

  /// {@return the shape of tables made here}
  VmsaGeometry geometry(Granule granule, Stage stage) {
    return VmsaGeometry.of(granule, stage, inputBits(stage), outputBits(stage));
  }

  /// Long descriptors of AArch32 are those of AArch64 with 40 bits of output; stage 1 has 32 bits of input.
  int inputBits(Stage stage) {
    if (stage == Stage.STAGE1) {
      return is64() ? upstreamBits : INPUT_32;
    }
    return is64() ? ipaBits : Math.min(ipaBits, WIDEST_32);
  }

  int outputBits(Stage stage) {
    int widest = stage == Stage.STAGE1 ? ipaBits : outputBits;
    return is64() ? widest : Math.min(widest, WIDEST_32);
  }

  private static int bits(int encoding) {
    return Math.min(VmsaGeometry.decodeSize(encoding), VmsaGeometry.MAX_INPUT_BITS);
  }

  private static List<Granule> granules(long idr2) {
    List<Granule> out = new ArrayList<>();
    if (IDR2_PTFSV8_4KB.isSet(idr2)) {
      out.add(Granule.K4);
    }
    if (IDR2_PTFSV8_16KB.isSet(idr2)) {
      out.add(Granule.K16);
    }
    if (IDR2_PTFSV8_64KB.isSet(idr2)) {
      out.add(Granule.K64);
    }
    return out;
  }

  private static void require(
      SmmuV2Port port, String register, long value, boolean met, String lacks) {
    if (!met) {
      throw new SmmuV2Unsupported(port.id(), register, value, lacks);
    }
  }
}
