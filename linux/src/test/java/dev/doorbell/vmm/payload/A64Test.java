package dev.doorbell.vmm.payload;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.testkit.OutsideTool;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName(
    "the payload's instructions against another assembler, and words typed from its listing")
class A64Test {
  private static LpiPayload.Task task(boolean edu) {
    return new LpiPayload.Task(
        0x208, 200, edu ? OptionalLong.of(0x1000_0000L) : OptionalLong.empty(), edu ? 1 : 0);
  }

  @ParameterizedTest(name = "edu: {0}")
  @ValueSource(booleans = {false, true})
  @DisplayName("the GNU assembler makes the same of the text")
  void sameAsGnu(boolean edu, @TempDir Path folder) throws IOException, InterruptedException {
    hold(LpiPayload.code(task(edu)), folder);
  }

  @ParameterizedTest(name = "processor {0}")
  @ValueSource(ints = {0, 1})
  @DisplayName("the GNU assembler makes the same of the text for a GICv2")
  void sameAsGnuForGicV2(int processor, @TempDir Path folder)
      throws IOException, InterruptedException {
    hold(SpiPayload.code(200, processor), folder);
  }

  private static void hold(A64 code, Path folder) throws IOException, InterruptedException {
    OutsideTool as = OutsideTool.require("aarch64-linux-gnu-as");
    OutsideTool objcopy = OutsideTool.require("aarch64-linux-gnu-objcopy");
    Path source = Files.writeString(folder.resolve("p.s"), code.text());
    OutsideTool.Result made = as.run(folder, "-o", "p.o", source.toString());
    assertEquals(0, made.status(), made.err());
    OutsideTool.Result copied = objcopy.run(folder, "-O", "binary", "p.o", "p.bin");
    assertEquals(0, copied.status(), copied.err());
    assertArrayEquals(Files.readAllBytes(folder.resolve("p.bin")), code.assemble());
  }

  @Test
  @DisplayName("words of the GNU assembler's listing, where it is not there")
  void listed() {
    A64 a = new A64();
    a.label("l").mov(1, 0x1_0000_0012L).strW(31, 2, 0x14).strX(1, 2, 0x70).ldrW(1, 8, 0x24);
    a.msr(A64.SystemRegister.ICC_PMR_EL1, 1).mrs(1, A64.SystemRegister.ICC_IAR1_EL1);
    a.cmp(7, 6).b(A64.Condition.NE, "l").b("l").add(7, 7, 1);
    int[] expected = {
      0xd2800241,
      0xf2c00021,
      0xb900145f,
      0xf9003841,
      0xb9402501,
      0xd5184601,
      0xd538cc01,
      0xeb0600ff,
      0x54ffff01,
      0x17fffff7,
      0x910004e7
    };
    ByteBuffer b = ByteBuffer.wrap(a.assemble()).order(ByteOrder.LITTLE_ENDIAN);
    for (int e : expected) {
      assertEquals(Integer.toHexString(e), Integer.toHexString(b.getInt()));
    }
    assertEquals(0, b.remaining());
  }

  @Test
  @DisplayName(
      "the program begins with a jump over the Image's header, whose fields are where Linux has them")
  void header() {
    ByteBuffer b = ByteBuffer.wrap(LpiPayload.image(task(false))).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(0x14000010, b.getInt(0));
    assertEquals(b.capacity(), b.getLong(16));
    assertEquals(0x644d5241, b.getInt(56));
  }
}
