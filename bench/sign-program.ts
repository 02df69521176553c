/** `sign-program.ts ALGORITHM SECONDS`: makes claims and signs them again and again, and prints how often per second. */
import type { SigningAlgorithm } from '../src/mint/signing-key.ts';
import { rateOf } from './rate.ts';
import { samplePair, sampleToken } from './sample-token.ts';

const [algorithm, seconds] = process.argv.slice(2);
const pair = samplePair(algorithm as SigningAlgorithm);
console.log(rateOf(() => void sampleToken('https://tokens.example.org/osg', pair), Number(seconds)));
