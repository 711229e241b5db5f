package io.github.internvl4j.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.internvl4j.Precision;
import org.junit.jupiter.api.Test;

class MachineTest {
    private static final Machine MACHINE = new Machine(20, 400, 800, 1600, 2);

    @Test
    void thePeakIsThatOfWhatIsMultiplied() {
        assertEquals(400, MACHINE.peak(Factors.of(Precision.F32, false)));
        assertEquals(400, MACHINE.peak(Factors.of(Precision.BF16, false)), "widened");
        assertEquals(800, MACHINE.peak(Factors.of(Precision.BF16, true)));
        assertEquals(1600, MACHINE.peak(Factors.of(Precision.INT8, false)));
        assertEquals(1600, MACHINE.peak(Factors.of(Precision.INT8, true)), "bf16 is then what is not quantized");
    }

    @Test
    void ofTwoMeasurementsTheBetterFiguresCount() {
        assertEquals(new Machine(30, 400, 900, 1600, 2), MACHINE.best(new Machine(30, 300, 900, 1500, 2)));
    }
}
