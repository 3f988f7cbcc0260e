package dev.doorbell.hw.smmuv2;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// Global register space 1 of an SMMUv2: what each context bank is for. Page 1 of the window.
///
/// **Source** IHI 0062 D.c, 10.2.
public final class Gr1Registers {
  /// The most context banks.
  public static final int MOST_BANKS = 128;

  private static final Layout L_CBAR = Layout.lsb0("SMMU_CBARn", 4);
  private static final Layout L_CBAR_NESTED = Layout.lsb0("SMMU_CBARn, TYPE = 3", 4);
  private static final Layout L_CBFRSYNRA = Layout.lsb0("SMMU_CBFRSYNRAn", 4);
  private static final Layout L_CBA2R = Layout.lsb0("SMMU_CBA2Rn", 4);
  private static final ValueNames TYPES =
      ValueNames.of(
          0, "stage 2",
          1, "stage 1, stage 2 bypassed",
          2, "stage 1, stage 2 faults",
          3, "stage 1 and stage 2");

  // spotless:off
  public static final Field CBAR_VMID       = L_CBAR.bits("VMID",      7,  0);
  public static final Field CBAR_BPSHCFG    = L_CBAR.bits("BPSHCFG",   9,  8);
  /// E2HC where SMMU_sCR0.HYPMODE is 1.
  public static final Field CBAR_HYPC       = L_CBAR.bit ("HYPC",     10);
  public static final Field CBAR_FB         = L_CBAR.bit ("FB",       11);
  public static final Field CBAR_MEM_ATTR   = L_CBAR.bits("MemAttr",  15, 12);
  public static final Field CBAR_TYPE       = L_CBAR.bits("TYPE",     17, 16, TYPES);
  public static final Field CBAR_BSU        = L_CBAR.bits("BSU",      19, 18);
  public static final Field CBAR_RACFG      = L_CBAR.bits("RACFG",    21, 20);
  public static final Field CBAR_WACFG      = L_CBAR.bits("WACFG",    23, 22);
  public static final Field CBAR_IRPTNDX    = L_CBAR.bits("IRPTNDX",  31, 24);

  /// The context bank of stage 2.
  public static final Field CBAR_CBNDX      = L_CBAR_NESTED.bits("CBNDX", 15, 8);

  public static final Field CBFRSYNRA_STREAM_ID = L_CBFRSYNRA.bits("StreamID",  15,  0);
  public static final Field CBFRSYNRA_SSD_INDEX = L_CBFRSYNRA.bits("SSD_Index", 31, 16);

  public static final Field CBA2R_VA64      = L_CBA2R.bit ("VA64",     0, ValueNames.of(0, "AArch32", 1, "AArch64"));
  public static final Field CBA2R_MONC      = L_CBA2R.bit ("MONC",     1);
  public static final Field CBA2R_VMID16    = L_CBA2R.bits("VMID16",  31, 16);
  // spotless:on

  static {
    L_CBAR.seal();
    L_CBAR_NESTED.ignored(7, 0).ignored(31, 16).seal();
    L_CBFRSYNRA.seal();
    L_CBA2R.res0(15, 2).seal();
  }

  private static final RegisterMap.Builder M = RegisterMap.named("SMMUv2 GR1", Gr0Registers.BYTES);

  // spotless:off
  public static final Register CBAR      = M.array("SMMU_CBAR",      0x000, MOST_BANKS, Access.RW, L_CBAR);
  public static final Register CBFRSYNRA = M.array("SMMU_CBFRSYNRA", 0x400, MOST_BANKS, Access.RW, L_CBFRSYNRA);
  public static final Register CBA2R     = M.array("SMMU_CBA2R",     0x800, MOST_BANKS, Access.rw(0xffff_0003L), L_CBA2R);
  // spotless:on

  /// The page.
  public static final RegisterMap MAP = M.seal();

  /// SMMU_CBARn.TYPE.
  public static final int TYPE_S2 = 0;

  public static final int TYPE_S1_S2_BYPASS = 1;
  public static final int TYPE_S1_S2_FAULT = 2;
  public static final int TYPE_S1_S2 = 3;

  private Gr1Registers() {}
}
