// fast-check with one seed, so that each run tries the same cases and what has not changed gets the answer it got. FC_SEED draws others.
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['FC_SEED'] ?? 20_261_130) });

export default fc;
